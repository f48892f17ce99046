"""Hashes of an entry's files, and writing that leaves all or nothing: the floor that the registry stands on."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from suture_agent.adapters import CONFIG, WEIGHTS, Adapter, File
from suture_agent.errors import AdapterError
from suture_sandbox.identity import identity_of

_Mark = tuple[int, int, int, int]


def file_of(path: Path) -> File:
    """Hash and size of a file."""
    with path.open("rb") as file:
        return File(sha256=hashlib.file_digest(file, "sha256").hexdigest(), size=os.fstat(file.fileno()).st_size)


def digest_of(files: Mapping[str, File]) -> str:
    """Digest of an adapter: the identity of its weights and its configuration. Other forms of the same weights are no part of it."""
    return identity_of({name: files[name].sha256 for name in (WEIGHTS, CONFIG)})


class Verified:
    """Remembers in this process which files were hashed, so that an adapter is not hashed anew before every episode."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[_Mark, str]] = {}

    def check(self, folder: Path, adapter: Adapter) -> None:
        """Raise AdapterError where a file is not what was registered. Blocks for about a second a gigabyte the first time."""
        remedy = (
            f"suture adapter use {adapter.name} --off, then suture adapter drop {adapter.name}; register it again from where it was trained"
        )
        for name, file in adapter.files.items():
            found = self._hash(folder / name)
            if found != file.sha256:
                state = f"has the digest {found}, not {file.sha256}" if found else "is not there"
                raise AdapterError(f"the adapter {adapter.label} was changed: {name} {state}", remedy=remedy)
        if digest_of(adapter.files) != adapter.digest:
            raise AdapterError(f"the adapter {adapter.label} was changed: its record names other files than its digest", remedy=remedy)

    def _hash(self, path: Path) -> str:
        """SHA-256, or nothing where there is no file."""
        try:
            found = path.stat()
            mark = (found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns)
            known = self._known.get(path)
            if known is None or known[0] != mark:
                known = (mark, file_of(path).sha256)
                self._known[path] = known
            return known[1]
        except OSError:
            return ""


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock that the kernel drops when this process is gone, however it went."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write(path: Path, content: bytes) -> None:
    """Replace a file in one step, durable on return; readable by its owner only."""
    fresh = path.with_name(f".new-{path.name}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    settle(path.parent)


def settle(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def settle_files(folder: Path) -> None:
    """Make the content of a folder's files durable, and close them to others."""
    for path in folder.iterdir():
        path.chmod(0o600)
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    settle(folder)
