"""The single changes of a patch, of which a person may take some. A part of a proven patch is not itself proven.

A change is named by what it does and by its place among the changes of its file, not by lines: it keeps its name while the text around
it moves, and a patch that does something else has other names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

import msgspec

from suture_sandbox.align import changes
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.text import lines_with_ends


class Hunk(msgspec.Struct, frozen=True, kw_only=True):
    """One change: lines that go, and lines that come in their place. A file that is new, deleted or no text has one for all of it."""

    id: str
    path: str
    start: int
    """The first line that goes, counted from 0 in the text before."""
    removed: tuple[str, ...]
    """With their ends."""
    added: tuple[str, ...]

    @property
    def end(self) -> int:
        """The line behind the last one that goes."""
        return self.start + len(self.removed)


def hunks_of(patch: Patch) -> list[Hunk]:
    """All changes of a patch, in the order of its files and their lines."""
    return [hunk for edit in patch.edits for hunk in _in_file(edit)]


def _in_file(edit: FileEdit) -> list[Hunk]:
    """The changes of one file."""
    before, after = _text(edit.before), _text(edit.after)
    if before is None or after is None:
        return [_hunk(edit.path, 0, 0, (), (), str(edit.expects), hashlib.sha256(edit.after or b"").hexdigest())]
    old, new = lines_with_ends(before), lines_with_ends(after)
    if edit.before is None or edit.after is None:
        return [_hunk(edit.path, 0, 0, old, new, str(edit.before is None))]
    return [
        _hunk(edit.path, number, each.start, old[each.start : each.end], new[each.new_start : each.new_end])
        for number, each in enumerate(changes(old, new))
    ]


def part_of(patch: Patch, taken: Collection[str]) -> Patch:
    """The patch with only those of its changes that are named; what it does not have is passed over."""
    parts = (_part(edit, taken) for edit in patch.edits)
    return Patch(tuple(each for each in parts if each is not None))


def _part(edit: FileEdit, taken: Collection[str]) -> FileEdit | None:
    every = _in_file(edit)
    kept = [hunk for hunk in every if hunk.id in taken]
    if not kept or len(kept) == len(every):
        return edit if kept else None
    lines = lines_with_ends((edit.before or b"").decode())
    for hunk in reversed(kept):
        lines[hunk.start : hunk.end] = hunk.added
    return msgspec.structs.replace(edit, after="".join(lines).encode())


def _hunk(path: str, number: int, start: int, removed: Sequence[str], added: Sequence[str], *more: str) -> Hunk:
    named = msgspec.json.encode([path, number, list(removed), list(added), *more])
    identifier = hashlib.sha256(named).hexdigest()[:16]
    return Hunk(id=identifier, path=path, start=start, removed=tuple(removed), added=tuple(added))


def _text(content: bytes | None) -> str | None:
    """None for what is no text; the byte order mark stays."""
    try:
        return (content or b"").decode()
    except UnicodeDecodeError:
        return None
