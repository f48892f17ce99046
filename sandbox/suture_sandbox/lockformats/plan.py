"""What a lock file comes to, and what all formats need to read theirs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from suture_sandbox.errors import ConfigurationError
from suture_sandbox.files import as_text, read_plain
from suture_sandbox.toml import BadToml, parse

Table = Mapping[str, Any]

LARGEST_LOCK = 32 << 20
"""Bytes of a lock file; those of the largest projects have a few million."""

NOT_FOR_CHECKS = frozenset({"doc", "docs", "documentation", "release", "publish", "bench", "benchmark", "benchmarks"})
"""Dependency groups that no check needs."""

EXTRAS_FOR_CHECKS = frozenset(
    {
        "test",
        "tests",
        "testing",
        "dev",
        "develop",
        "development",
        "lint",
        "typing",
        "types",
        "check",
        "checks",
        "qa",
        "ci",
        "cov",
        "coverage",
    }
)
"""Extras (optional dependencies of the workspace) that checks need."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to install, exactly."""

    source: str
    """The file that it comes from, relative to the workspace."""
    kind: Literal["uv", "pylock", "requirements"]
    """`uv`: uv itself turns its lock file into a pylock; else `text` or `files` are installed as they are."""
    digest: str
    """SHA-256 of everything that decides the result, the interpreter left out."""
    text: str = ""
    files: tuple[Path, ...] = ()
    """Requirements files to install as they lie in the workspace; instead of `text`."""
    locked: Mapping[str, tuple[str, ...]] = {}
    """Normalised name -> pinned versions."""
    arguments: tuple[str, ...] = ()
    """For `uv`: the groups and extras to export. For requirements: the package indexes that the lock file names."""
    requires_python: str = ""
    projects: tuple[Path, ...] = ()
    """Folders of the workspace's own distributions."""
    notes: tuple[str, ...] = ()


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file of the workspace, empty where there is none; raises ConfigurationError when it is damaged."""
    content = content_of(path)
    if content is None:
        return {}
    remedy = "mend the file, or name an interpreter that has everything installed"
    try:
        return parse(as_text(content))
    except BadToml as error:
        raise ConfigurationError(error.within(str(path)), remedy=remedy) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: {error}", remedy=remedy) from error


def applies(marker: str, markers: Mapping[str, str]) -> bool:
    """Whether a condition holds here, with any of the extras that checks need; one that cannot be read holds."""
    if not marker:
        return True
    try:
        parsed = Marker(marker)
        extras = ("", *EXTRAS_FOR_CHECKS) if "extra" in marker else ("",)
        return any(parsed.evaluate({**markers, "extra": extra}) for extra in extras)
    except (InvalidMarker, ValueError, KeyError, TypeError):
        return True


def logical_lines(text: str) -> Iterator[str]:
    """Lines of a requirements file with their continuations, comments taken out."""
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        if bare := re.sub(r"(^|\s)#.*$", "", line).strip():
            yield bare


def by_name(pins: Iterator[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Normalised name -> versions, in their order."""
    found: dict[str, tuple[str, ...]] = {}
    for name, version in pins:
        key = canonicalize_name(name)
        found[key] = tuple(dict.fromkeys((*found.get(key, ()), version)))
    return found


def direct_requirements(project: Table, *, groups: bool) -> Iterator[Requirement]:
    """What pyproject.toml asks for itself, with `groups` those of its dependency groups that checks need. Raises ConfigurationError."""
    texts: list[Any] = list(project.get("project", {}).get("dependencies", []))
    if groups:
        texts += [entry for name, group in project.get("dependency-groups", {}).items() if is_wanted(name) for entry in group]
    for text in texts:
        if isinstance(text, str):  # a group may also include another group by a table
            try:
                yield Requirement(text)
            except InvalidRequirement as error:
                raise ConfigurationError(f"pyproject.toml: {text!r} is no requirement: {error}", remedy="mend the line") from error


def refuse_without_wheel(missing: list[str], source: str) -> None:
    """Raise ConfigurationError where packages have no wheel."""
    if missing:
        raise ConfigurationError(
            f"{source}: no wheel for {', '.join(sorted(missing))}; building from source would run its code outside the sandbox",
            remedy="install the environment yourself into .venv and name it: --python .venv/bin/python",
        )


def is_wanted(group: str) -> bool:
    """Whether checks may need a dependency group."""
    return group.lower() not in NOT_FOR_CHECKS


def projects_in(root: Path, paths: list[str]) -> tuple[Path, ...]:
    """Folders of the workspace, resolved; what lies outside is left out."""
    return tuple(dict.fromkeys((root / path).resolve() for path in paths if is_inside(root / path, root)))


def is_inside(path: Path, root: Path) -> bool:
    """Whether a path lies in the workspace, links followed."""
    return path.resolve().is_relative_to(root.resolve())


def content_of(path: Path) -> bytes | None:
    """A lock file as it is, None where there is none. Raises UnreadableFile."""
    return read_plain(path, most=LARGEST_LOCK)


def digest_of(*parts: str) -> str:
    """SHA-256 over texts."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def relock(source: str) -> str:
    """What to do about a lock file that does not serve."""
    commands = {"uv.lock": "uv lock", "poetry.lock": "poetry lock", "pdm.lock": "pdm lock"}
    return f"write it again: {commands.get(source, 'with the tool that made it')}"
