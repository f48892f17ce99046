"""Whether an edit arrived: clients that do not promise to apply all of it or nothing are not taken at their word.

The protocol lets a client stop at the first file that fails and keep those before it; some also skip a file and say that all is well. What
counts is what the open texts are afterwards. A file that is not open is taken on trust.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import msgspec

from suture_sandbox.merge import merge_texts
from suture_sandbox.patch import FileEdit
from suture_server.lsp.buffers import Buffers

WHOLE = ("transactional", "undo")
WHOLE_TEXT = "textOnlyTransactional"
"""What clients say that apply all of an edit or nothing; the second where no file comes or goes."""
APPLIED_SECONDS = 3.0
"""So long an edit that was applied may take to be seen in what the client tells (Neovim waits 0.15 s, eglot 0.5)."""
REFUSED_SECONDS = 1.0
"""And a part of one that was not."""
LOOKING_SECONDS = 0.05


def whole(edits: Sequence[FileEdit], failure_handling: str) -> bool:
    """Whether a client promises to apply all of these edits or none."""
    only_text = all(edit.before is not None and edit.after is not None for edit in edits)
    return failure_handling in WHOLE or (only_text and (len(edits) == 1 or failure_handling == WHOLE_TEXT))


class Landing(msgspec.Struct, frozen=True):
    """What came of an edit that a client was to apply."""

    applied: bool
    """Whether all open texts have it; where none can be looked at, what the client says."""
    why: str = ""
    part: tuple[FileEdit, ...] = ()
    """Those that did arrive where others did not."""


async def landed(edits: Sequence[FileEdit], buffers: Buffers, *, applied: bool, why: str) -> Landing:
    """What came of these edits, once what the client does has had time to be seen."""
    until = time.monotonic() + (APPLIED_SECONDS if applied else REFUSED_SECONDS)
    while True:
        found = {edit: has(edit, buffers.present(edit.path)) for edit in edits if edit.path in buffers.documents}
        seen = all(found.values()) if applied else any(found.values())
        if seen or time.monotonic() > until:
            break
        await asyncio.sleep(LOOKING_SECONDS)
    part = tuple(edit for edit, there in found.items() if there)
    if part and (not applied or len(part) < len(found)):
        return Landing(False, f"the editor applied it to {_names(part)} only", part)
    if found and applied and not part:
        return Landing(False, f"the editor did not apply it to {_names(tuple(found))}")
    return Landing(applied, why)


def backwards(edit: FileEdit) -> FileEdit:
    """The edit that takes this one back."""
    return FileEdit(path=edit.path, before=edit.after, after=edit.before)


def has(edit: FileEdit, present: bytes | None) -> bool:
    """Whether a text has what an edit brings, whatever else was typed into it meanwhile."""
    if present is None or edit.before is None or edit.after is None:
        return present == edit.after
    try:
        text = present.decode()
        return merge_texts(edit.before.decode(), edit.after.decode(), text) == text
    except UnicodeDecodeError:
        return present == edit.after


def _names(edits: Sequence[FileEdit]) -> str:
    return ", ".join(edit.path for edit in edits)
