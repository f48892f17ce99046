"""Files of a patch that move: it says that one goes and another one comes, and an editor that is told that it is the same keeps its tab."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from suture_sandbox.align import changes
from suture_sandbox.patch import FileEdit
from suture_sandbox.text import lines_with_ends

LEAST_KEPT = 0.5
"""Share of the lines that must stay, as git counts renames."""


def renamed(edits: Sequence[FileEdit]) -> Mapping[FileEdit, FileEdit]:
    """File that comes -> the one that it was, the most alike first; each file once."""
    gone = [edit for edit in edits if edit.after is None and edit.before]
    come = [edit for edit in edits if edit.before is None and edit.after]
    alike = sorted(
        ((_kept(old.before, new.after), old.path, new.path, old, new) for old in gone for new in come), key=lambda each: each[:3]
    )
    found: dict[FileEdit, FileEdit] = {}
    for share, _, _, old, new in reversed(alike):
        if share >= LEAST_KEPT and new not in found and old not in found.values():
            found[new] = old
    return found


def _kept(before: bytes | None, after: bytes | None) -> float:
    """The share of the lines of the longer text that both have."""
    if before == after:
        return 1.0
    try:
        old, new = (lines_with_ends((content or b"").decode("utf-8-sig")) for content in (before, after))
    except UnicodeDecodeError:
        return 0.0
    changed = sum(each.end - each.start for each in changes(old, new))
    return (len(old) - changed) / max(len(old), len(new), 1)
