"""Blobs: msgspec JSON, compressed with zstd, named by the SHA-256 of the JSON and kept once."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any, Generic, TypeVar

import msgspec

from suture_agent.errors import JournalError

T = TypeVar("T")

LEVEL = 6
"""Of zstd: conversations shrink about as far as at 19, in a tenth of the time."""
LARGEST = 1 << 30
"""Bytes that a blob may unpack to; a damaged or foreign file must not fill the memory."""


class Blob(msgspec.Struct, frozen=True):
    """A packed value; packing takes time and is done before the transaction that keeps it."""

    hash: str
    data: bytes
    size: int


def pack(value: Any) -> Blob:  # noqa: ANN401  # anything msgspec encodes
    """Pack a value."""
    import zstandard

    content = msgspec.json.encode(value, order="deterministic")
    packed = zstandard.ZstdCompressor(level=LEVEL, write_content_size=True).compress(content)
    return Blob(hashlib.sha256(content).hexdigest(), packed, len(content))


def put(connection: sqlite3.Connection, blob: Blob | None) -> str | None:
    """Keep a blob, once, and return its name; None for nothing."""
    if blob is None:
        return None
    connection.execute("INSERT OR IGNORE INTO blobs (hash, data, size) VALUES (?, ?, ?)", (blob.hash, blob.data, blob.size))
    return blob.hash


def get(connection: sqlite3.Connection, name: str, kind: type[T]) -> T:
    """The value of a blob; raises JournalError where the content is not what its name says."""
    return unpack(name, *_row(connection, name), kind)


def unpack(name: str, data: bytes, size: int, kind: type[T]) -> T:
    """Unpack one blob and check it against its name."""
    return Unpacker(kind).unpack(name, data, size)


class Unpacker(Generic[T]):
    """Unpacks many blobs of one kind; for one thread."""

    def __init__(self, kind: type[T]) -> None:
        import zstandard

        self._zstandard = zstandard
        self._decompressor = zstandard.ZstdDecompressor()
        self._decoder = msgspec.json.Decoder(kind)

    def unpack(self, name: str, data: bytes, size: int) -> T:
        """The value; raises JournalError where the content is not what the blob's name says."""
        try:
            if size > LARGEST or self._zstandard.frame_content_size(data) != size:
                raise _damaged(name)
            content = self._decompressor.decompress(data, max_output_size=size)
            if hashlib.sha256(content).hexdigest() != name:
                raise _damaged(name)
            return self._decoder.decode(content)
        except (self._zstandard.ZstdError, msgspec.DecodeError) as error:
            raise _damaged(name) from error


def _row(connection: sqlite3.Connection, name: str) -> tuple[bytes, int]:
    row = connection.execute("SELECT data, size FROM blobs WHERE hash = ?", (name,)).fetchone()
    if row is None:
        raise _damaged(name)
    return row[0], row[1]


def _damaged(name: str) -> JournalError:
    return JournalError(
        f"the journal's blob {name[:12]} is damaged",
        remedy="suture journal stats checks the whole file; move it away and suture starts a new one",
    )
