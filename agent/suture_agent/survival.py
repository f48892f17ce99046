"""Survival: what the present text still has of a patch that was accepted. A measure for training, no judgement of the patch.

Texts are compared as lines of tokens (words and single signs) without white space, so that a formatter loses nothing; a patch of nothing
but white space has no tokens. A line that was moved as a whole is still there. Where lines have changed, their tokens are aligned; a
bracket that merely stands where another one stood counts as kept. A file that is not UTF-8 has no tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from suture_sandbox.align import Change, changes
from suture_sandbox.merge import merge_texts
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.text import split_lines

_TOKEN = re.compile(r"\w+|[^\w\s]")

Lines = list[str]
"""A text: each line's tokens with one blank between two."""
Place = tuple[int, int]
"""A token: its line, and its number in that line."""


class Survival(msgspec.Struct, frozen=True):
    """What is left of a patch."""

    tokens: int
    """That the patch added; those it removed where it only removes."""
    kept: int
    """Of those, still there; still gone where it only removes."""


def survival(patch: Patch, present: Mapping[str, bytes | None]) -> Survival:
    """What is left of a patch in the present contents of its files; a path that is not among them is a file that is gone."""
    files = [(_lines(edit.before), _lines(edit.after), _lines(present.get(edit.path))) for edit in patch.edits]
    added = [_added(*file) for file in files]
    chosen = added if any(each.tokens for each in added) else [_removed(*file) for file in files]
    return Survival(sum(each.tokens for each in chosen), sum(each.kept for each in chosen))


def undone(patch: Patch, present: Mapping[str, bytes | None]) -> bool:
    """Whether all its files are as they were before it, line ends and the last line's end aside."""
    return bool(patch.edits) and all(_plain(edit.before) == _plain(present.get(edit.path)) for edit in patch.edits)


def stands(patch: Patch, present: Mapping[str, bytes | None]) -> bool:
    """Whether all its files are exactly what it made of them."""
    return all(edit.after == present.get(edit.path) for edit in patch.edits)


def _plain(content: bytes | None) -> bytes | Lines | None:
    """The lines of a text without their ends, and without the empty one behind a last line that has an end."""
    try:
        lines = None if content is None else split_lines(content.decode("utf-8"))
    except UnicodeDecodeError:
        return content
    return lines[:-1] if lines and len(lines) > 1 and not lines[-1] else lines


def _lines(content: bytes | None) -> Lines:
    try:
        text = (content or b"").decode("utf-8-sig")
    except UnicodeDecodeError:
        return []
    return [" ".join(_TOKEN.findall(line)) for line in split_lines(text)]


def _added(before: Lines, after: Lines, now: Lines) -> Survival:
    marks = _fresh(before, after)
    if now in (before, after):
        return Survival(len(marks), len(marks) if now == after else 0)
    return Survival(len(marks), _still(after, marks, now))


def _removed(before: Lines, after: Lines, now: Lines) -> Survival:
    marks = _fresh(after, before)
    if now in (before, after):
        return Survival(len(marks), len(marks) if now == after else 0)
    return Survival(len(marks), len(marks) - _still(before, marks, now))


def _fresh(old: Lines, new: Lines) -> set[Place]:
    """The tokens of the new text that the old one has not."""
    found: set[Place] = set()
    for change in changes(old, new):
        before = [token for _, token in _tokens(old, range(change.start, change.end))]
        after = _tokens(new, range(change.new_start, change.new_end))
        for inner in changes(before, [token for _, token in after]):
            found.update(place for place, _ in after[inner.new_start : inner.new_end])
    return found


def _still(old: Lines, marks: set[Place], now: Lines) -> int:
    """How many of the marked tokens of the old text the present one has; only where lines differ are tokens looked at."""
    found = changes(old, now)
    changed = {line for change in found for line in range(change.start, change.end)}
    lost = {line for line, _ in marks} & changed
    away, taken = _moved(old, lost, now, found)
    kept = sum(line not in lost or line in away for line, _ in marks)
    for change in found:
        if lost.isdisjoint(range(change.start, change.end)):
            continue
        before = _tokens(old, [line for line in range(change.start, change.end) if line not in away])
        after = _tokens(now, [line for line in range(change.new_start, change.new_end) if line not in taken])
        kept += _aligned(before, after, marks)
    return kept


def _moved(old: Lines, lost: set[int], now: Lines, found: Sequence[Change]) -> tuple[set[int], set[int]]:
    """Lost lines that stand elsewhere as new ones, and those; a line of one token is too little to tell."""
    spare: dict[str, list[int]] = {}
    for line in (line for change in reversed(found) for line in reversed(range(change.new_start, change.new_end))):
        spare.setdefault(now[line], []).append(line)
    away: set[int] = set()
    taken: set[int] = set()
    for line in sorted(lost):
        if " " in old[line] and spare.get(old[line]):
            away.add(line)
            taken.add(spare[old[line]].pop())
    return away, taken


def _aligned(old: Sequence[tuple[Place, str]], new: Sequence[tuple[Place, str]], marks: set[Place]) -> int:
    """How many marked tokens of one stretch are in the other."""
    gone: set[Place] = set()
    for change in changes([token for _, token in old], [token for _, token in new]):
        gone.update(place for place, _ in old[change.start : change.end])
    return sum(place in marks and place not in gone for place, _ in old)


def _tokens(lines: Lines, chosen: Sequence[int]) -> list[tuple[Place, str]]:
    return [((line, number), token) for line in chosen for number, token in enumerate(lines[line].split())]


def edited(patch: Patch, present: Mapping[str, bytes | None]) -> bool:
    """Whether something was changed inside the patch or right beside it: then it can no longer be taken out by itself."""
    return any(_edited(edit, present.get(edit.path)) for edit in patch.edits)


def _edited(edit: FileEdit, present: bytes | None) -> bool:
    if present == edit.after:
        return False
    if present is None or edit.after is None or edit.before is None:
        return True
    texts = [content.decode("utf-8", "replace") for content in (edit.after, present, edit.before)]
    return merge_texts(*texts) is None
