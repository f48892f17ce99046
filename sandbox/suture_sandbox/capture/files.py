"""Trees of files: walking them with their time stamps, and hashing their content only where a stamp changed.

A stamp is size, modification time and change time; the last cannot be set back by a program, so a file that was rewritten in place is
noticed even if its modification time is restored. Results are remembered in one small file a tree in suture's cache. What it
deliberately is not: it writes nowhere else, and a lost or damaged memory costs time, never a wrong answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")

Stamp = tuple[int, int, int]
"""Size, modification time and change time (both in nanoseconds)."""

CACHES = frozenset({"__pycache__"})
"""Folders that never count: bytecode says nothing that the source does not."""

_FORMAT = 2
_SETTLED_NS = 2_000_000_000  # two writes within one tick of a coarse file system's clock have the same stamp
_CHUNK = 1 << 20
_THREADS = 4


class _Memory(msgspec.Struct, array_like=True):
    """What is kept of one tree."""

    format: int
    signature: str
    answer: msgspec.Raw
    hashes: msgspec.Raw  # decoded only when something changed


def walk(root: Path, skip: Callable[[str], bool] = CACHES.__contains__) -> dict[str, Stamp]:
    """Every file below `root` as absolute path -> stamp; links are followed, folders whose name `skip` takes are left out."""
    found: dict[str, Stamp] = {}
    seen: set[tuple[int, int]] = set()
    stack = [str(root)]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:  # hot: ten thousand files and more
                    if entry.is_dir():
                        if not skip(entry.name) and (not entry.is_symlink() or _is_new(entry, seen)):
                            stack.append(entry.path)
                    elif not entry.name.endswith(".pyc"):
                        _add(entry, found)
        except OSError:  # unreadable, or gone since its parent was read
            continue
    return found


def _add(entry: os.DirEntry[str], found: dict[str, Stamp]) -> None:
    try:
        status = entry.stat()
    except OSError:  # a link that leads nowhere
        return
    if stat.S_ISREG(status.st_mode):
        found[entry.path] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _is_new(link: os.DirEntry[str], seen: set[tuple[int, int]]) -> bool:
    """Whether a linked folder was not entered through a link before: links may make a loop."""
    status = link.stat()
    key = (status.st_dev, status.st_ino)
    new = key not in seen
    seen.add(key)
    return new


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp in a stat result."""
    return (status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def remembered(
    name: str, stamps: Mapping[str, Stamp], cache: Path, kind: type[T], compute: Callable[[Mapping[str, str]], T], *, salt: str = ""
) -> T:
    """What `compute` makes of path -> SHA-256 for all of `stamps`, taken from memory when no stamp and no `salt` changed.

    `name` tells trees apart in the cache: the root's path. `salt` is whatever else the answer depends on.
    """
    place = cache / "trees" / f"{hashlib.sha256(name.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}.msgpack"
    signature = _signature(stamps, salt)
    memory = _load(place)
    if memory is not None and memory.signature == signature:
        with contextlib.suppress(msgspec.DecodeError):
            return msgspec.msgpack.decode(memory.answer, type=kind)
    started = time.time_ns()
    hashes = _hash_all(stamps, _known(memory))
    answer = compute(hashes)
    _save(place, signature, answer, stamps, hashes, started)
    return answer


def digest(pairs: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over sorted (path, sha256) pairs."""
    content = hashlib.sha256()
    for path, value in sorted(pairs):
        content.update(f"{path}\0{value}\n".encode("utf-8", "surrogateescape"))
    return content.hexdigest()


def hash_file(path: str) -> str:
    """SHA-256 of a file's content; `missing` when it cannot be read."""
    content = hashlib.sha256()
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # hot path, str is enough
            while chunk := file.read(_CHUNK):
                content.update(chunk)
    except OSError:
        return "missing"
    return content.hexdigest()


def write_atomically(path: Path, content: bytes, *, mode: int = 0o600, durable: bool = False) -> None:
    """Write a file so that every reader sees the old or the new content whole; leaves no temporary file behind when it fails."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if durable:
                os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105  # the same call, on the str that mkstemp gave
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108  # as above
        raise
    if durable:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems do not sync folders; the content itself is safe by then
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _signature(stamps: Mapping[str, Stamp], salt: str) -> str:
    lines = [f"{path}\0{stamp[0]}\0{stamp[1]}\0{stamp[2]}" for path, stamp in stamps.items()]
    lines.sort()
    return hashlib.blake2b("\n".join([salt, *lines]).encode("utf-8", "surrogateescape"), digest_size=32).hexdigest()


def _hash_all(stamps: Mapping[str, Stamp], known: Mapping[str, tuple[Stamp, str]]) -> dict[str, str]:
    hashes = {path: known[path][1] for path, stamp in stamps.items() if path in known and known[path][0] == stamp}
    missing = [path for path in stamps if path not in hashes]
    with ThreadPoolExecutor(_THREADS) as pool:  # hashlib and read() release the interpreter lock
        hashes.update(zip(missing, pool.map(hash_file, missing, chunksize=64), strict=True))
    return hashes


def _known(memory: _Memory | None) -> Mapping[str, tuple[Stamp, str]]:
    if memory is None:
        return {}
    try:
        return {os.fsdecode(path): value for path, value in _HASHES.decode(memory.hashes).items()}
    except msgspec.DecodeError:
        return {}


def _load(place: Path) -> _Memory | None:
    try:
        memory = msgspec.msgpack.decode(place.read_bytes(), type=_Memory)
    except (OSError, msgspec.DecodeError):
        return None
    return memory if memory.format == _FORMAT else None


def _save(place: Path, signature: str, answer: object, stamps: Mapping[str, Stamp], hashes: Mapping[str, str], started: int) -> None:
    settled = {path: (stamp, hashes[path]) for path, stamp in stamps.items() if max(stamp[1], stamp[2]) < started - _SETTLED_NS}
    memory = _Memory(
        _FORMAT,
        signature if len(settled) == len(stamps) else "",
        msgspec.Raw(msgspec.msgpack.encode(answer)),
        msgspec.Raw(msgspec.msgpack.encode({os.fsencode(path): value for path, value in settled.items()})),
    )
    with contextlib.suppress(OSError):  # an unwritable or full cache costs time only
        place.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(place, msgspec.msgpack.encode(memory))


_HASHES = msgspec.msgpack.Decoder(dict[bytes, tuple[Stamp, str]])
