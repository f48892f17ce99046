"""Snapshots: a workspace as it is on disk, with edits laid over it. Nothing here writes to the workspace.

A snapshot is a value: a root folder and an overlay of edited files (an editor's unsaved buffers, a patch under proof, an agent's edits).
An attempt is one fresh copy-on-write view of a snapshot inside a sandbox; see `backend`.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import msgspec

from suture_sandbox.errors import PatchError, UnreadableFile
from suture_sandbox.files import LARGEST_FILE, read_plain

LONGEST_NAME = 255
"""Bytes of a file's name; no file system in use takes more."""


class Snapshot(msgspec.Struct, frozen=True):
    """A workspace with edits over it."""

    root: Path
    """Absolute, resolved path of the workspace."""
    overlay: Mapping[str, bytes | None] = {}
    """Path relative to the root -> content; None means deleted."""

    def with_edits(self, edits: Mapping[str, bytes | None]) -> Snapshot:
        """A snapshot with further edits laid over this one."""
        for path in edits:
            self.check_path(path)
        merged = {**self.overlay, **edits}
        files = {path for path, content in merged.items() if content is not None}
        both = sorted(files & {str(folder) for path in files for folder in PurePosixPath(path).parents})
        if both:
            raise PatchError(f"{both[0]} cannot be both a file and a folder")
        return msgspec.structs.replace(self, overlay=merged)

    def read(self, path: str) -> bytes | None:
        """Content of a file, None where there is none; symbolic links are never followed out of the workspace."""
        if path in self.overlay:
            return self.overlay[path]
        try:
            self.check_path(path)
            return read_plain(self.root / path, follow=False)
        except (UnreadableFile, PatchError):
            return None

    def read_text(self, path: str) -> str | None:
        """Content of a text file with its line ends kept, None where there is none or it is not UTF-8."""
        content = self.read(path)
        try:
            return None if content is None else content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    def exists(self, path: str) -> bool:
        """Whether the snapshot has a file of that path, one that `read` would give."""
        if path in self.overlay:
            return self.overlay[path] is not None
        try:
            self.check_path(path)
        except PatchError:
            return False
        return os.path.isfile(self.root / path)  # noqa: PTH113  # unlike pathlib's, false for a name that is too long

    def check_path(self, path: str) -> None:
        """Raise PatchError unless `path` names a plain file that `read` takes, or a free place, in the workspace and behind no link."""
        pure = PurePosixPath(path)
        if not pure.parts or not _encodable(path) or pure.is_absolute() or ".." in pure.parts or str(pure) != path:
            raise PatchError(f"{path!r} is not a path inside the workspace")
        if any(part.lower() == ".git" for part in pure.parts) or pure.parts[0] == ".suture":
            raise PatchError(f"{path} belongs to {'suture' if pure.parts[0] == '.suture' else 'git'} itself")
        current = str(self.root)
        for index, part in enumerate(pure.parts):
            current = os.path.join(current, part)  # noqa: PTH118  # hot path, str is enough
            try:
                status = os.lstat(current)
            except OSError:
                return
            last = index == len(pure.parts) - 1
            if not (stat.S_ISREG(status.st_mode) if last else stat.S_ISDIR(status.st_mode)):
                raise PatchError(f"{path}: {part} is not a plain {'file' if last else 'folder'}")
            if last and status.st_size > LARGEST_FILE:
                raise PatchError(f"{path} is larger than {LARGEST_FILE >> 20} MiB")


def _encodable(path: str) -> bool:
    """Whether a file can have this name, and a report can carry it."""
    try:
        raw = path.encode()
    except UnicodeEncodeError:
        return False
    return b"\0" not in raw and all(len(part) <= LONGEST_NAME for part in raw.split(b"/"))
