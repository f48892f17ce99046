"""What a search for floating dependencies finds, and what it searches: the files of a workspace, read with bounds.

A manifest of a workspace may be hostile: no file is read that is no plain file or is too large, no link is followed, and the walk ends at
a number of folders and files. What could not be looked at is a note, never an error.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path

import msgspec

from suture_sandbox.errors import UnreadableFile
from suture_sandbox.files import as_text, read_plain

LARGEST_MANIFEST = 1 << 20
"""Bytes of a file that people write."""
LARGEST_LOCK = 32 << 20
"""Bytes of a file that tools write."""
LONGEST_LINE = 1 << 14
"""Characters of a line that is looked at; the rest of a longer one is not."""
MOST_FILES = 100_000
MOST_DEPTH = 16
LONGEST_SHOWN = 120

_NOT_OURS = frozenset(
    {
        *(".git", ".hg", ".svn", ".suture", ".tox", ".nox", ".venv", "venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__"),
        *("node_modules", "bower_components", "site-packages", "vendor", "third_party", ".gradle", ".terraform", ".cache", ".yarn"),
        *("target", "build", "dist", "fixtures", "__fixtures__", "testdata", "test_data", "corpus"),
    }
)
"""Folders that hold what others wrote, what was built, or manifests that tests read and nobody installs."""


class Floating(msgspec.Struct, frozen=True, kw_only=True):
    """One dependency that may be another one tomorrow."""

    ecosystem: str
    path: str
    """Of the file, relative to the workspace."""
    line: int
    """Counted from 1."""
    what: str
    """What floats, as the file has it."""
    why: str
    """What can change, and when."""
    pin: str
    """How to pin it."""


class Tree:
    """The files of a workspace by their names, and their texts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notes: list[str] = []
        self._names: dict[str, frozenset[str]] = {}

    @cached_property
    def paths(self) -> tuple[str, ...]:
        """Every file that may be a manifest of this workspace, relative, sorted."""
        found: list[str] = []
        stack = [("", 0)]
        while stack and len(found) < MOST_FILES:
            folder, depth = stack.pop()
            for name, is_folder in _entries(self.root / folder):
                path = f"{folder}{name}"
                if not is_folder:
                    found.append(path)
                elif name not in _NOT_OURS and depth < MOST_DEPTH and not os.path.lexists(self.root / path / "pyvenv.cfg"):
                    stack.append((f"{path}/", depth + 1))
        if stack:
            self.notes.append(f"the workspace has more than {MOST_FILES} files: not all were looked at for what floats")
        return tuple(sorted(found))

    def named(self, *patterns: str) -> Iterator[str]:
        """Files whose name, or whole path where the pattern has a slash, fits a pattern."""
        for path in self.paths:
            name = path.rpartition("/")[2]
            if any(fnmatch.fnmatchcase(path if "/" in pattern else name, pattern) for pattern in patterns):
                yield path

    def has(self, path: str) -> bool:
        """Whether the workspace has that file."""
        return os.path.isfile(self.root / path)  # noqa: PTH113  # unlike pathlib's, no error where it may not be looked into

    def text(self, path: str, most: int = LARGEST_MANIFEST) -> str:
        """A file's text; empty, with a note where there is something, when it cannot be read."""
        try:
            content = read_plain(self.root / path, most=most, name=path, follow=False)
        except UnreadableFile as error:
            self.note(str(error))
            return ""
        return as_text(content or b"", errors="replace")

    def lines(self, path: str) -> Iterator[tuple[int, str]]:
        """Line number and line, long ones cut."""
        for number, line in enumerate(self.text(path).split("\n"), 1):
            yield number, line[:LONGEST_LINE]

    def names(self, key: str, find: Callable[[], frozenset[str]]) -> frozenset[str]:
        """A set of names that many ask for, found once."""
        if key not in self._names:
            self._names[key] = find()
        return self._names[key]

    def note(self, text: str) -> None:
        """Say what could not be looked at, once."""
        if text not in self.notes:
            self.notes.append(text)


def folder_of(path: str) -> str:
    """The folder of a path with its slash; empty for the root."""
    return path[: path.rfind("/") + 1]


def ancestors(path: str) -> Iterator[str]:
    """The folder of a path and those above it, each with its slash, the root last as an empty text."""
    folder = folder_of(path)
    while folder:
        yield folder
        folder = folder_of(folder[:-1])
    yield ""


def line_of(text: str, *needles: str) -> int:
    """The first line that has all of the texts; the first that has the first of them; else 1."""
    fallback = 0
    for number, line in enumerate(text.split("\n"), 1):
        if needles[0] in line:
            fallback = fallback or number
            if all(needle in line for needle in needles[1:]):
                return number
    return fallback or 1


def shown(text: str) -> str:
    """A text of a workspace as a message may have it: one line of printable characters, not long."""
    plain = "".join(character if character.isprintable() else "?" for character in text)
    return plain if len(plain) <= LONGEST_SHOWN else f"{plain[:LONGEST_SHOWN]}..."


def _entries(folder: Path) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries if not entry.is_symlink()]
    except OSError:  # gone meanwhile, or not this user's
        return []
