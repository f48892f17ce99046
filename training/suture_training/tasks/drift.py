"""Dependency drift: commits that move a dependency and change source to go with it. The environment holds the newer dependency
throughout.

Healthy is the text after the commit; broken is that with the source as it was for the older release. This is the seed's main class of
failure. Where a commit has a lock file, its environment is built from that, so that a set can have several environments, one for each
workspace; otherwise the workspace's present environment has to hold the newer dependency.

What is not done: drift that nobody has mended yet has no known mend, and makes no task.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from suture_sandbox.environment import Environment
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.guard.paths import kind_of
from suture_training.tasks.archive import Files
from suture_training.tasks.git import Changed, Commit, Repository
from suture_training.tasks.history import History
from suture_training.tasks.task import OriginKind

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,80}"
_PIN = re.compile(rf"""^\s*["']?({_NAME})(?:\[[^\]]*\])?\s*((?:===|[=<>!~]=|[<>])\s*[\w.*+!,<>=~ -]+)""", re.MULTILINE)
"""`name==1.2`, `name>=1` in requirements, and in the lists of pyproject.toml."""
_LOCKED = re.compile(rf"""^name = "({_NAME})"\s*^version = "([^"]+)\"""", re.MULTILINE)
"""A package of uv.lock, poetry.lock, pdm.lock or pylock.toml."""
_MANIFESTS = ("pyproject.toml", "setup.cfg", "setup.py")
MOST_NAMED = 3


def moves_dependency(kinds: Mapping[str, str]) -> bool:
    """Whether a commit, by its paths and what they are protected as, changes source and what is installed."""
    declares = any(kind == "locks" or path.rpartition("/")[2] in _MANIFESTS for path, kind in kinds.items())
    return declares and "" in kinds.values()


class Drift(History):
    """The dependency updates in a repository's past, newest first."""

    kind: OriginKind = "drift"

    def __init__(self, repository: Repository, environment: Environment, *, name: str, extra: Files) -> None:
        super().__init__(repository, environment, name=name, extra=extra, wanted=moves_dependency)

    def named(self, commit: Commit, changed: Sequence[Changed]) -> str:
        """The dependencies that moved, as far as the commit's own files tell; the commit where they do not."""
        declaring = [each for each in changed if kind_of(each.path) == "locks" or each.path.rpartition("/")[2] in _MANIFESTS]
        try:
            texts = self._repository.contents([name for each in declaring for name in (each.before, each.after) if name])
        except ConfigurationError:
            return commit.id[:12]
        moved: list[str] = []
        for each in declaring:
            before, after = (pins(texts.get(name, b"").decode("utf-8", "replace")) for name in (each.before, each.after))
            moved += [f"{name} {after[name]}" for name in after if before.get(name) != after[name]]
        return ", ".join(dict.fromkeys(moved[:MOST_NAMED])) or commit.id[:12]


def pins(text: str) -> dict[str, str]:
    """Dependency -> version or specifier, as far as a line or a lock's entry says it."""
    found = {name.lower(): re.sub(r"\s+", "", said).removeprefix("==").rstrip(",") for name, said in _PIN.findall(text)}
    return {**found, **{name.lower(): version for name, version in _LOCKED.findall(text)}}
