"""Merging: a patch made for an earlier text, laid onto the present one.

Three-way merge by lines (diff3; Khanna, Kunal and Pierce, "A Formal Investigation of Diff3", FSTTCS 2007). Where both sides change the
same lines, or lines that touch, and not in the same way, there is a conflict and no merge: nothing is guessed, no markers are written. A
merged patch is a new patch: what was proven of the old one is not proven of it.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from suture_sandbox.align import Change, changes
from suture_sandbox.errors import MergeConflict
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import lines_with_ends

_BOM = "\ufeff"
_ENDS = ("\r\n", "\n", "\r")

Group = tuple[list[Change], list[Change]]
"""Changes of either side that overlap or touch."""


class _Clash(Exception):
    """Both sides change the same lines; control flow inside this module."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _Text(msgspec.Struct, frozen=True):
    """A text file in the parts that are merged each on its own."""

    bom: bool
    lines: list[str]


def merge_texts(base: str, ours: str, theirs: str) -> str | None:
    """`base` with the changes of both sides, None where they conflict. Which side is which makes no difference."""
    try:
        return "".join(_merged(lines_with_ends(base), lines_with_ends(ours), lines_with_ends(theirs)))
    except _Clash:
        return None


def moved(patch: Patch, present: Snapshot) -> Patch:
    """The patch for the present text; without the edits that are there already. Raises MergeConflict."""
    edits = (_moved(edit, present.read(edit.path)) for edit in patch.edits)
    return Patch(tuple(edit for edit in edits if edit is not None))


def _moved(edit: FileEdit, present: bytes | None) -> FileEdit | None:
    if present == edit.after:
        return None
    if present == edit.before:
        return edit
    if present is None:
        raise MergeConflict(edit.path, 1, "the file that the patch changes is gone")
    if edit.before is None:
        if _same_text(edit.after, present):
            return None
        raise MergeConflict(edit.path, 1, "the patch makes this file, and there is another one")
    if edit.after is None:
        if not _same_text(edit.before, present):
            raise MergeConflict(edit.path, 1, "the patch deletes this file, and it has changed")
        return FileEdit(path=edit.path, before=present, after=None)
    after = _merged_file(edit.path, edit.before, present, edit.after)
    return None if after == present else FileEdit(path=edit.path, before=present, after=after)


def _merged_file(path: str, before: bytes, present: bytes, after: bytes) -> bytes:
    base, ours, theirs = _text(before), _text(present), _text(after)
    if base is None or ours is None or theirs is None:
        raise MergeConflict(path, 1, "the file is no text, and it has changed")
    base_lines, their_lines = _with_ends_of(ours.lines, base.lines, theirs.lines)
    try:
        merged = _merged(base_lines, ours.lines, their_lines)
    except _Clash as clash:
        raise MergeConflict(path, clash.line, "the text has changed where the patch changes it") from clash
    bom = theirs.bom if ours.bom == base.bom else ours.bom
    return ((_BOM if bom else "") + "".join(merged)).encode()


def _same_text(before: bytes | None, present: bytes) -> bool:
    """Whether two contents differ at most in a byte order mark and in how all their lines end."""
    base, ours = None if before is None else _text(before), _text(present)
    return base is not None and ours is not None and _with_ends_of(ours.lines, base.lines, base.lines)[0] == ours.lines


def _text(content: bytes) -> _Text | None:
    """The text of a file, None for what is no UTF-8."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else _Text(text.startswith(_BOM), lines_with_ends(text.removeprefix(_BOM)))


def _with_ends_of(present: Sequence[str], base: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """`base` and `after`, whose lines end like those of `present` where each of the two texts has one kind of end throughout."""
    wanted, used = _ends(present), _ends(base) or _ends(after)
    if len(wanted) != 1 or len(used) != 1 or wanted == used:
        return list(base), list(after)
    (new,), (old,) = wanted, used
    base_lines, after_lines = ([line.removesuffix(old) + new if _end(line) == old else line for line in lines] for lines in (base, after))
    return base_lines, after_lines


def _ends(lines: Sequence[str]) -> set[str]:
    return {_end(line) for line in lines} - {""}


def _end(line: str) -> str:
    return next((end for end in _ENDS if line.endswith(end)), "")


def _merged(base: Sequence[str], ours: Sequence[str], theirs: Sequence[str]) -> list[str]:
    merged: list[str] = []
    position = 0
    for group in _groups(changes(base, ours), changes(base, theirs)):
        touched = [*group[0], *group[1]]
        start, end = min(change.start for change in touched), max(change.end for change in touched)
        merged += base[position:start]
        merged += _resolved(group, start, end, ours, theirs)
        position = end
    merged += base[position:]
    # Lines of two sides can run into one: "a\r" before "\n", or a last line without an end before another one.
    again = lines_with_ends("".join(merged))
    if again != merged:
        raise _Clash(next(number for number, (left, right) in enumerate(zip(again, merged, strict=False), 1) if left != right))
    return merged


def _groups(ours: Sequence[Change], theirs: Sequence[Change]) -> list[Group]:
    """The changes of both sides in order, those that overlap or touch together."""
    both = [(change, side) for side, found in enumerate((ours, theirs)) for change in found]
    groups: list[Group] = []
    reach = -1
    for change, side in sorted(both, key=lambda each: (each[0].start, each[0].end)):
        if change.start > reach:
            groups.append(([], []))
        groups[-1][side].append(change)
        reach = max(reach, change.end)
    return groups


def _resolved(group: Group, start: int, end: int, ours: Sequence[str], theirs: Sequence[str]) -> Sequence[str]:
    """What stands in place of the lines from `start` to `end` of the base: the text of the side that changed them, or of both."""
    mine, yours = group
    if not mine:
        return _stretch(yours, start, end, theirs)
    text = _stretch(mine, start, end, ours)
    if yours and text != _stretch(yours, start, end, theirs):
        raise _Clash(mine[0].new_start - (mine[0].start - start) + 1)
    return text


def _stretch(found: Sequence[Change], start: int, end: int, lines: Sequence[str]) -> Sequence[str]:
    first, last = found[0], found[-1]
    return lines[first.new_start - (first.start - start) : last.new_end + (end - last.end)]
