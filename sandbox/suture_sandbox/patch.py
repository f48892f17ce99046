"""Patches: file edits against a snapshot, with the hashes of what they expect."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping

import msgspec

from suture_sandbox.errors import PatchError
from suture_sandbox.snapshot import Snapshot

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_UNUSUAL = re.compile(r'[\x00-\x1f\x7f"\\]')


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
    """Lines with their ends, None for what is no text. As git does, and unlike `str.splitlines`, only a line feed ends a line."""
    if content is None:
        return []
    try:
        return None if b"\0" in content else _LINE.findall(content.decode("utf-8"))
    except UnicodeDecodeError:
        return None


def _header(edit: FileEdit) -> str:
    head = f"diff --git {_name('a', edit.path)} {_name('b', edit.path)}\n"
    if edit.before is None:
        return f"{head}new file mode 100644\n"
    return f"{head}deleted file mode 100644\n" if edit.after is None else head


def _name(side: str, path: str) -> str:
    """A file's name in a diff's headers; git reads names with quotes, backslashes or control characters in C's notation."""
    name = f"{side}/{path}"
    if not _UNUSUAL.search(name):
        return name
    return '"' + _UNUSUAL.sub(lambda found: f"\\{ord(found[0]):03o}", name) + '"'


def _diff(edit: FileEdit) -> list[str]:
    before, after = _text(edit.before), _text(edit.after)
    old = "/dev/null" if edit.before is None else _name("a", edit.path)
    new = "/dev/null" if edit.after is None else _name("b", edit.path)
    if before is None or after is None:
        return [f"Binary files {old} and {new} differ\n"]
    return [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in difflib.unified_diff(before, after, old, new)
    ]
