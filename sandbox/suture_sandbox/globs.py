"""Globs over the paths of a workspace, matched name by name in time that no pattern of a hostile workspace can stretch.

`*`, `?` and `[...]` stay within one name, `**` stands for any number of folders, none included.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from fnmatch import translate
from pathlib import PurePosixPath

Word = re.Pattern[str] | None
"""What matches one name; None stands for `**`."""


@functools.lru_cache(maxsize=1024)
def words_of(glob: str) -> tuple[Word, ...]:
    """The parts of a glob."""
    return tuple(None if part == "**" else re.compile(translate(part)) for part in PurePosixPath(glob).parts)


def ends(parts: Sequence[str], words: Sequence[Word]) -> set[int]:
    """How many of the first parts of a path the whole glob can stand for; empty where it fits no beginning of it."""
    reached: set[int] = {0}
    for word in words:
        if not reached:
            break
        if word is None:
            reached = set(range(min(reached), len(parts) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(parts) and word.match(parts[at])}
    return reached


def fits(parts: Sequence[str], words: Sequence[Word]) -> bool:
    """Whether a glob stands for the whole path."""
    return len(parts) in ends(parts, words)


def is_excluded(path: str, globs: Sequence[str]) -> bool:
    """Whether a glob names a file, or a folder that it lies in; a glob of one name does so in any folder."""
    parts = PurePosixPath(path).parts if globs else ()
    return any(_names(parts, words_of(glob)) for glob in globs)


def refused(glob: str) -> str:
    """Why a glob cannot name files of a workspace; empty where it can."""
    pure = PurePosixPath(glob)
    if not glob.isprintable() or " " in glob or pure.is_absolute() or ".." in pure.parts or "\\" in glob:
        return "it is not a path from the workspace's root, without spaces"
    return "" if pure.parts else "it names nothing"


def _names(parts: Sequence[str], words: Sequence[Word]) -> bool:
    if len(words) == 1:
        return any(fits((part,), words) for part in parts)
    return any(ends(parts, words) - {0})
