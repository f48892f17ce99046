"""The content key of a snapshot: one hash of everything that a check can read in the workspace, cheap when little changed.

Every file counts, not only Python: data, configuration, git's own files, what was built. A file is hashed again only where its stamp
changed (size, modification and change time, inode, mode); a stamp that is younger than the clock's resolution could hide a second edit and
is not trusted. Left out is what no check reads or what the environment's identity holds already: what is masked inside (its name alone
counts), bytecode caches, and the folders of the environment itself. Nothing of it is written to the disk: hashes of private files would be.
"""

from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from suture_sandbox.capture.files import hash_file
from suture_sandbox.environment import Environment
from suture_sandbox.local.masks import SECRET_FOLDERS, is_masked
from suture_sandbox.snapshot import Snapshot

UNSETTLED_NS = 2_000_000_000
"""A file that changed within this time may change again without a new stamp: the coarsest clock of a file system in use."""
CACHES = frozenset({"__pycache__"})

Stamp = tuple[int, int, int, int, int]


class Key(msgspec.Struct, frozen=True):
    """What a snapshot holds."""

    content: str
    """Equal for equal content, whatever part of it is an edit and whatever is on the disk."""
    moment: int
    """Grows whenever a file on the disk is seen to have changed, even if it changed back."""


class ContentIndex:
    """The files of one workspace, as an environment's attempts see them. Safe to use from several threads."""

    def __init__(self, root: Path, environment: Environment) -> None:
        self._root = str(root)
        self._environment = environment
        self._outside = frozenset(os.path.normpath(path) for path in environment.runtime.readonly)
        self._stamps: dict[str, Stamp] = {}
        self._hashes: dict[str, str] = {}
        self._unsettled: set[str] = set()
        """Files whose stamp may not tell the next change."""
        self._digest = ""
        self._moment = 0
        self._lock = threading.Lock()

    def key(self, snapshot: Snapshot) -> Key:
        """The key of a snapshot of this workspace now."""
        with self._lock:
            self._refresh()
            differs = {path: self._edited(path, content) for path, content in snapshot.overlay.items()}
            left = {path: value for path, value in differs.items() if value != self._plain(path)}
            return Key(self._digest if not left else _digest({"": self._digest, **left}), self._moment)

    def _edited(self, path: str, content: bytes | None) -> str:
        """What an edited file counts as; an edit keeps the permissions of the file that it covers."""
        if content is None:
            return ""
        stamp = self._stamps.get(path)
        hashed = "masked" if self._masked(path) else hashlib.sha256(content).hexdigest()
        return f"{stat.S_IMODE(stamp[4]) if stamp is not None else 0o644:o} {hashed}"

    def _plain(self, path: str) -> str:
        stamp = self._stamps.get(path)
        return "" if stamp is None else f"{stat.S_IMODE(stamp[4]):o} {self._hashes[path]}"

    def _masked(self, path: str) -> bool:
        return is_masked(path, self._environment.unmasked, self._environment.excluded)

    def _refresh(self) -> None:
        now, stamps = time.time_ns(), self._walk()
        if stamps == self._stamps and not self._unsettled and self._digest:
            return
        stale = [path for path, stamp in stamps.items() if self._stamps.get(path) != stamp or path in self._unsettled]
        hashes = {path: self._hash(path, stamps[path][4]) for path in stale}
        changed = len(stamps) != len(self._stamps) or any(self._stamps.get(path) != stamps[path] for path in stale)
        changed = changed or any(self._hashes.get(path) != hashed for path, hashed in hashes.items())
        self._unsettled = {path for path in stale if max(stamps[path][1:3]) >= now - UNSETTLED_NS}
        if changed or not self._digest:
            self._moment += 1
            self._hashes = {path: hashes[path] if path in hashes else self._hashes[path] for path in stamps}
            self._stamps = stamps
            self._digest = _digest({path: self._plain(path) for path in stamps})

    def _hash(self, path: str, mode: int) -> str:
        whole = f"{self._root}/{path}"
        if stat.S_ISLNK(mode):
            return "link " + os.fsdecode(os.readlink(whole))  # noqa: PTH115  # hot path, str is enough
        if not stat.S_ISREG(mode):
            return "folder" if stat.S_ISDIR(mode) else "special"
        return "masked" if self._masked(path) else hash_file(whole)

    def _walk(self) -> dict[str, Stamp]:
        """Every file and folder with its stamp. A folder's own times say nothing that its files do not."""
        found: dict[str, Stamp] = {}
        waiting = [""]
        while waiting:
            folder = waiting.pop()
            begin = f"{folder}/" if folder else ""
            try:
                with os.scandir(f"{self._root}/{folder}") as entries:
                    for entry in entries:  # hot: tens of thousands
                        path = begin + entry.name
                        state = entry.stat(follow_symlinks=False)
                        mode = state.st_mode
                        if not stat.S_ISDIR(mode):
                            found[path] = (state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino, mode)
                        elif entry.name not in CACHES and not self._left_out(path, entry.name):
                            found[path] = (0, 0, 0, 0, mode)
                            waiting.append(path)
            except OSError:  # unreadable, or gone since it was listed: what is left of the folder counts as changed the next time
                found[begin + "?"] = (time.time_ns(), 0, 0, 0, 0)
        return found

    def _left_out(self, path: str, name: str) -> bool:
        return name in SECRET_FOLDERS or f"{self._root}/{path}" in self._outside


def _digest(values: Mapping[str, str]) -> str:
    content = hashlib.sha256()
    for path in sorted(values):
        content.update(f"{path}\0{values[path]}\n".encode("utf-8", "surrogateescape"))
    return content.hexdigest()
