"""Patches: file edits against a snapshot, with the hashes of what they expect."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping

import msgspec

from suture_sandbox.errors import PatchError
from suture_sandbox.snapshot import Snapshot


class FileEdit(msgspec.Struct, frozen=True, kw_only=True):
    """The new content of one file."""

    path: str
    """Relative to the workspace, with forward slashes."""
    before: bytes | None
    """The content that the edit expects; None for a file that must not exist."""
    after: bytes | None
    """The new content; None deletes the file."""

    @property
    def expects(self) -> str | None:
        """SHA-256 of the expected content, None for a new file."""
        return None if self.before is None else hashlib.sha256(self.before).hexdigest()


class Patch(msgspec.Struct, frozen=True):
    """Edits that belong together; empty when nothing changes."""

    edits: tuple[FileEdit, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """The files it touches, in order."""
        return tuple(edit.path for edit in self.edits)

    @property
    def counts(self) -> tuple[int, int]:
        """Lines added and removed."""
        lines = [line for edit in self.edits for line in _diff(edit)[2:]]
        return sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)

    def diff(self) -> str:
        """Unified diff that `git apply` takes; binary files are named, not shown."""
        return "".join(_header(edit) + "".join(_diff(edit)) for edit in self.edits)

    def apply(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with this patch laid over it; raises PatchError where a file is not what the patch expects."""
        for edit in self.edits:
            snapshot.check_path(edit.path)
            if snapshot.read(edit.path) != edit.before:
                raise PatchError(f"{edit.path} is not what the patch expects", remedy="make a new patch for the present text")
        return snapshot.with_edits({edit.path: edit.after for edit in self.edits})

    def without(self, paths: frozenset[str]) -> Patch:
        """The same patch with the edits of some files left out."""
        return Patch(tuple(edit for edit in self.edits if edit.path not in paths))


def patch_between(before: Snapshot, edits: Mapping[str, bytes | None]) -> Patch:
    """The patch that turns `before` into the same snapshot with `edits`; edits that change nothing are left out."""
    made: list[FileEdit] = []
    for path, after in sorted(edits.items()):
        old = before.read(path)
        if old != after:
            made.append(FileEdit(path=path, before=old, after=after))
    return Patch(tuple(made))


def _text(content: bytes | None) -> list[str] | None:
    if content is None:
        return []
    try:
        return content.decode("utf-8").splitlines(keepends=True) if b"\0" not in content else None
    except UnicodeDecodeError:
        return None


def _header(edit: FileEdit) -> str:
    if edit.before is None:
        return f"diff --git a/{edit.path} b/{edit.path}\nnew file mode 100644\n"
    if edit.after is None:
        return f"diff --git a/{edit.path} b/{edit.path}\ndeleted file mode 100644\n"
    return f"diff --git a/{edit.path} b/{edit.path}\n"


def _diff(edit: FileEdit) -> list[str]:
    before, after = _text(edit.before), _text(edit.after)
    old = "/dev/null" if edit.before is None else f"a/{edit.path}"
    new = "/dev/null" if edit.after is None else f"b/{edit.path}"
    if before is None or after is None:
        return [f"Binary files {old} and {new} differ\n"]
    return [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in difflib.unified_diff(before, after, old, new)
    ]
