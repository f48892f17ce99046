"""What of a workspace a policy is not shown: files that `privacy.exclude` names, that git ignores, or whose names look secret.

What it deliberately is not: a bound on what a command in the sandbox prints. Excluded files and secrets appear empty there; files that git
ignores do not, since checks need what was built, and a check's output may quote them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from suture_agent.ignored import Ignored
from suture_agent.problem import Problem
from suture_sandbox.globs import is_excluded
from suture_sandbox.local.masks import is_secret
from suture_sandbox.snapshot import Snapshot

_NAMED = re.compile(r'^(?:---|\+\+\+) "?[ab]/(.+?)"?\t?$', re.MULTILINE)


class Privacy:
    """Why a policy is not shown a file of one workspace."""

    def __init__(self, root: Path, excluded: Sequence[str] = ()) -> None:
        self._excluded = tuple(excluded)
        self._ignored = Ignored(root)

    def reason(self, path: str) -> str:
        """The reason, to be read after the path; empty for a file that is shown."""
        return "may hold secrets" if is_secret(path) else self.withheld(path)

    def withheld(self, path: str) -> str:
        """The reason where somebody gave one, by a setting or a .gitignore; a name that looks secret is no such reason."""
        if is_excluded(path, self._excluded):
            return "is named by privacy.exclude"
        return "is ignored by git" if self._ignored(path) else ""

    def withholds_diff(self, diff: str) -> bool:
        """Whether a diff is about any file that is not shown."""
        return any(self.reason(path) for path in dict.fromkeys(_NAMED.findall(diff)))


class ShownSnapshot(Snapshot, frozen=True, kw_only=True):
    """A snapshot in which there is nothing but what a policy may be shown. To be looked at; attempts and proofs take the whole one."""

    privacy: Privacy

    def read(self, path: str) -> bytes | None:
        """Content of a file, None where there is none to be shown."""
        return None if self.privacy.reason(path) else super().read(path)

    def exists(self, path: str) -> bool:
        """Whether the snapshot has a file of that path to show."""
        return not self.privacy.reason(path) and super().exists(path)


def shown(problem: Problem, excluded: Sequence[str]) -> Problem:
    """The problem as an episode may look at it."""
    snapshot = problem.snapshot
    privacy = Privacy(snapshot.root, excluded)
    return msgspec.structs.replace(problem, snapshot=ShownSnapshot(snapshot.root, snapshot.overlay, privacy=privacy))


def whole(snapshot: Snapshot) -> Snapshot:
    """The snapshot with all that it has, as attempts take it."""
    return Snapshot(snapshot.root, snapshot.overlay)
