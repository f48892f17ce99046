"""The file that grows while a model is pulled: hashed as it is written, resumable at the last recorded chunk, renamed only when right."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from suture_agent.errors import PolicyUnavailable
from suture_agent.models import Model
from suture_agent.models.digest import BLOCK, stamp

T = TypeVar("T")
Check = Callable[[], None]
Grew = Callable[[int], None]


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A piece that was joined completely."""

    size: int
    sha256: str
    source: str


class Stopped(Exception):  # not an error of the floor: control flow of a cancelled thread
    """The work in the thread was told to stop."""


class Growing:
    """The partial file of one pull. Its methods block; run them through `in_thread`. Not safe for two pulls at once: hold the lock."""

    def __init__(self, model: Model, cache: Path) -> None:
        self.model = model
        self.target = cache / model.file
        self.path = cache / f"{model.file}.partial"
        self.size = 0
        self._chunks: list[Chunk] = []
        self._hash = hashlib.sha256()
        self._record = cache / f"{model.file}.partial.json"

    @property
    def left(self) -> int:
        """Bytes that are still missing."""
        return self.model.size - self.size

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the bytes came from, in order."""
        return tuple(dict.fromkeys(chunk.source for chunk in self._chunks))

    def resume(self, check: Check) -> None:
        """Take over what an interrupted pull recorded, as far as its digests still hold; cut off the rest."""
        try:
            recorded = msgspec.json.decode(self._record.read_bytes(), type=list[Chunk])
        except (OSError, msgspec.MsgspecError):
            recorded = []
        self.path.touch(mode=0o600)
        with self.path.open("r+b") as file:
            for chunk in recorded:
                if not self._take_over(file, chunk, check):
                    break
            file.truncate(self.size)

    def _take_over(self, file: IO[bytes], chunk: Chunk, check: Check) -> bool:
        whole, piece, left = self._hash.copy(), hashlib.sha256(), chunk.size
        while left and (block := file.read(min(BLOCK, left))):
            check()
            whole.update(block)
            piece.update(block)
            left -= len(block)
        if left or piece.hexdigest() != chunk.sha256:
            return False
        self._hash, self.size = whole, self.size + chunk.size
        self._chunks.append(chunk)
        return True

    def append(self, blocks: Iterable[bytes], source: str, check: Check, grew: Grew) -> None:
        """Join the bytes and record them as one chunk. More bytes than the model has are refused before they are written."""
        piece, size, whole = hashlib.sha256(), self.size, self._hash.copy()
        with self.path.open("r+b") as file:
            file.seek(size)
            for block in blocks:
                check()
                size += len(block)
                if size > self.model.size:
                    raise PolicyUnavailable(f"{source} holds more bytes than {self.model.name} has")
                file.write(block)
                piece.update(block)
                whole.update(block)
                grew(size)
            file.flush()
            os.fsync(file.fileno())
        chunk = Chunk(size=size - self.size, sha256=piece.hexdigest(), source=source)
        self._hash, self.size = whole, size
        self._chunks.append(chunk)
        fresh = self._record.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self._chunks))
        fresh.replace(self._record)

    def finish(self) -> Path:
        """Compare the digest, and put the file where it belongs; a wrong one is removed."""
        if self.size != self.model.size or self._hash.hexdigest() != self.model.sha256:
            found, origin = self._hash.hexdigest(), ", ".join(self.sources)
            self.drop()
            raise PolicyUnavailable(
                f"what came from {origin} is not {self.model.name}: its digest is {found}, expected {self.model.sha256}; it was removed",
                remedy=f"suture model pull {self.model.name}, with another source",
            )
        self.path.chmod(0o600)
        self.path.replace(self.target)
        self._record.unlink(missing_ok=True)
        stamp(self.target, self.model.sha256)
        return self.target

    def drop(self) -> None:
        """Forget everything that was joined."""
        self.path.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)
        self.path.touch(mode=0o600)
        self.size, self._chunks, self._hash = 0, [], hashlib.sha256()


def blocks_of(file: IO[bytes], *, skip: int = 0, most: int | None = None) -> Iterator[bytes]:
    """The bytes of a stream that cannot seek, from `skip` on, `most` at the most."""
    while skip > 0 and (dropped := file.read(min(BLOCK, skip))):
        skip -= len(dropped)
    left = most
    while left is None or left > 0:
        block = file.read(BLOCK if left is None else min(BLOCK, left))
        if not block:
            return
        left = None if left is None else left - len(block)
        yield block


async def in_thread(work: Callable[[Check], T]) -> T:
    """Run blocking work beside the event loop; cancelling stops it at its next check, and waits until it has stopped."""
    stop = threading.Event()

    def check() -> None:
        if stop.is_set():
            raise Stopped

    task = asyncio.ensure_future(asyncio.to_thread(work, check))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        stop.set()
        with contextlib.suppress(Exception):  # what the thread ran into no longer matters to a cancelled caller
            await task
        raise
