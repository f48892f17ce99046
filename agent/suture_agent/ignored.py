"""What git ignores in a workspace, read from its files without running git.

git itself is not asked, since it starts programs that a repository's own configuration names; and libraries that read the same patterns
turn them into regular expressions that a hostile one keeps busy for ever. Read are nested .gitignore files, those of the folders above up
to the repository's root, .git/info/exclude, and the index: what git tracks is not ignored, whatever the patterns say.

Not covered: the user's global excludes file, what a nested repository excludes by its own .git/info/exclude, escapes inside brackets. A
SHA-256 repository, or one with a split index, tracks less here than it does. Where patterns are too many, or folders too deep, all is
ignored.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator
from fnmatch import translate
from functools import cached_property
from pathlib import Path, PurePosixPath

import msgspec

from suture_sandbox.errors import UnreadableFile
from suture_sandbox.files import read_plain
from suture_sandbox.globs import Word, fits

LARGEST_RULES = 128 * 1024
"""Bytes of a file of patterns."""
MOST_RULES = 2000
MOST_FOLDERS = 64
"""Folders around a file; the time that patterns with `**` need grows with a power of them."""
LARGEST_INDEX = 64 << 20
"""Bytes of git's index, and of all names in it together."""
LONGEST_WORD = 255
"""Characters of a pattern between slashes; no name that it could mean is longer."""

_ODD = re.compile(r"\\(.)|\[\^")
_ANY = re.compile(translate("*"))


class Rule(msgspec.Struct, frozen=True):
    """One line of a .gitignore."""

    words: tuple[Word, ...]
    anywhere: bool = False
    """Whether it means a name in any folder below, rather than a path from its own."""
    folders_only: bool = False
    negated: bool = False

    def matches(self, parts: tuple[str, ...], *, folder: bool) -> bool:
        """Whether it is about this path, seen from the rule's own folder."""
        return (folder or not self.folders_only) and fits(parts[-1:] if self.anywhere else parts, self.words)


_EVERYTHING = (Rule((_ANY,), anywhere=True),)


class Ignored:
    """Whether git ignores a file of one workspace. Everything is read once, when it is first needed."""

    def __init__(self, root: Path) -> None:
        self._rules: dict[tuple[str, ...], tuple[Rule, ...]] = {}
        self._decided: dict[tuple[str, ...], bool] = {}
        self._top, self._above = _repository(root)
        if any(self._is_ignored(self._above[:length], folder=True) for length in range(1, len(self._above) + 1)):
            # a workspace that the repository around it ignores is one of its own
            self._rules, self._decided, self._top, self._above = {}, {}, root, ()

    def __call__(self, path: str) -> bool:
        """Whether git ignores the file of this path, relative to the workspace."""
        pure = PurePosixPath(path)
        if not pure.parts or pure.is_absolute() or ".." in pure.parts:
            return False
        parts = (*self._above, *pure.parts)
        if len(parts) > MOST_FOLDERS:
            return True
        folders = range(len(self._above) + 1, len(parts))
        below = any(self._is_ignored(parts[:length], folder=True) for length in folders)
        return (below or self._is_ignored(parts, folder=False)) and "/".join(parts).encode(errors="replace") not in self._tracked

    def _is_ignored(self, parts: tuple[str, ...], *, folder: bool) -> bool:
        """What the last of the rules says that are about a path, those of deeper folders being later ones."""
        key = (*parts, "") if folder else parts
        known = self._decided.get(key)
        if known is None:
            found = (rule for rest, rules in self._sources(parts) for rule in rules if rule.matches(rest, folder=folder))
            rule = next(found, None)
            known = self._decided[key] = rule is not None and not rule.negated
        return known

    def _sources(self, parts: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[Rule, ...]]]:
        """The path as seen from each folder that has rules, with these, the last one first."""
        for depth in range(len(parts) - 1, -1, -1):
            yield parts[depth:], self._rules_of(parts[:depth])
        yield parts, self._excludes

    def _rules_of(self, folder: tuple[str, ...]) -> tuple[Rule, ...]:
        found = self._rules.get(folder)
        if found is None:
            found = self._rules[folder] = _rules_in(self._top.joinpath(*folder, ".gitignore"))
        return found

    @cached_property
    def _excludes(self) -> tuple[Rule, ...]:
        """The rules of .git/info/exclude."""
        return _rules_in(_common(_git_folder(self._top)) / "info" / "exclude")

    @cached_property
    def _tracked(self) -> frozenset[bytes]:
        return tracked_names(_content(_git_folder(self._top) / "index", LARGEST_INDEX) or b"")


def rules_in(text: str) -> tuple[Rule, ...]:
    """The rules of a .gitignore, the last one first."""
    lines = text.split("\n")
    return tuple(rule for line in reversed(lines) if (rule := _rule(line)) is not None) if len(lines) <= MOST_RULES else _EVERYTHING


def tracked_names(index: bytes) -> frozenset[bytes]:
    """The paths in git's index (versions 2 to 4); of what is no index, those before it ceases to be one."""
    names: set[bytes] = set()
    try:
        version, count = struct.unpack_from(">4xLL", index)
        for name in _names(index, version, count):
            names.add(name)
    except (ValueError, IndexError, struct.error):
        pass
    return frozenset(names)


def _names(index: bytes, version: int, count: int) -> Iterator[bytes]:
    at, name, total = 12, b"", 0
    for _ in range(count):
        start = at + (64 if version > 2 and index[at + 60] & 0x40 else 62)
        cut, start = _number(index, start) if version == 4 else (len(name), start)
        end = index.index(b"\0", start)
        name = name[: len(name) - cut] + index[start:end]
        at = end + 1 if version == 4 else at + (end - at) // 8 * 8 + 8
        total += len(name)
        if total > LARGEST_INDEX:
            return
        yield name


def _number(index: bytes, at: int) -> tuple[int, int]:
    """A number of variable length, as version 4 has it, and where it ends."""
    value = index[at] & 0x7F
    for place in range(at, at + 8):
        if index[place] < 0x80:
            return value, place + 1
        value = (value + 1 << 7) + (index[place + 1] & 0x7F)
    raise ValueError("the number does not end")


def _repository(root: Path) -> tuple[Path, tuple[str, ...]]:
    """The root of the repository that a workspace is in, and the folders that lead from there to it."""
    for folder in (root, *root.parents):
        if os.path.lexists(folder / ".git"):
            return folder, root.relative_to(folder).parts
    return root, ()


def _git_folder(top: Path) -> Path:
    """`.git`, or what that file names in a work tree or a submodule."""
    place = top / ".git"
    named = (_content(place, 4096) or b"").decode(errors="replace")
    return top / named.removeprefix("gitdir:").strip() if named.startswith("gitdir:") else place


def _common(folder: Path) -> Path:
    """The folder that all work trees of a repository share."""
    named = (_content(folder / "commondir", 4096) or b"").decode(errors="replace").strip()
    return folder / named if named else folder


def _rules_in(path: Path) -> tuple[Rule, ...]:
    content = _content(path, LARGEST_RULES)
    if content is not None:
        return rules_in(content.decode("utf-8-sig", errors="surrogateescape"))
    unread = os.path.isfile(path) and not os.path.islink(path)  # noqa: PTH113, PTH114  # unlike pathlib's, false for a name that is too long
    return _EVERYTHING if unread else ()


def _content(path: Path, most: int) -> bytes | None:
    """The beginning of a plain file; None where there is none. As git does, no link is followed."""
    try:
        return read_plain(path, most=most, follow=False)
    except (UnreadableFile, ValueError):  # ValueError: a name that no file can have
        return None


def _rule(line: str) -> Rule | None:
    pattern = _trimmed(line.removesuffix("\r"))
    if not pattern or pattern.startswith("#"):
        return None
    negated = pattern.startswith("!")
    pattern = pattern.removeprefix("!")
    folders_only = pattern.endswith("/")
    pattern = pattern.removesuffix("/")
    if not pattern or (negated and _is_beyond(pattern)):
        return None
    words = tuple(_word(part) for part in pattern.removeprefix("/").split("/"))
    if len(words) > 1 and words[-1] is None:
        words = (*words, _ANY)  # `folder/**` is what lies in it, not the folder itself
    return Rule(words, anywhere="/" not in pattern, folders_only=folders_only, negated=negated)


def _trimmed(line: str) -> str:
    """The line without the spaces at its end, but for one behind a backslash."""
    kept = line.rstrip(" ")
    escaped = (len(kept) - len(kept.rstrip("\\"))) % 2 == 1
    return f"{kept} " if escaped and kept != line else kept


def _is_beyond(pattern: str) -> bool:
    """Whether some of a pattern is only understood roughly, as more than it says."""
    return "[:" in pattern or any(len(part) > LONGEST_WORD for part in pattern.split("/"))


def _word(text: str) -> Word:
    if text == "**":
        return None
    if len(text) > LONGEST_WORD:
        return _ANY
    if "[:" in text:  # a class such as [[:digit:]]
        text = f"{text[: text.index('[')]}*"
    return re.compile(translate(_ODD.sub(_replacement, text)))


def _replacement(found: re.Match[str]) -> str:
    """What `fnmatch` calls the same."""
    if found[1] is None:
        return "[!"
    return f"[{found[1]}]" if found[1] in "*?[" else found[1]
