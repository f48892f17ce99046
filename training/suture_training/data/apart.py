"""Rows in a random order that keeps rows of one prompt or one problem apart, for KTO.

TRL estimates KTO's KL term by pairing each prompt of a batch with the completion of its neighbour, and takes the rows as they come
(`train_sampling_strategy="sequential"`): so rows must be shuffled beforehand, and neighbours must be strangers. They wait in a temporary
file, so that memory does not grow with their number.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from suture_training.data.rows import Preference

APART = 16
"""Rows between two of one group, where there are enough others: at least a batch of a device."""


def apart(rows: Iterable[Preference], folder: Path, *, seed: int = 0, distance: int = APART) -> Iterator[Preference]:
    """The rows in the order that `seed` draws. Where a group has too many rows, its last ones come at the end, beside each other."""
    path = folder / "shuffle.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -8192"):
            connection.execute(f"PRAGMA {pragma}")
        _fill(connection, rows, seed)
        yield from _spread(connection, distance)
    finally:
        connection.close()
        path.unlink(missing_ok=True)


def _fill(connection: sqlite3.Connection, rows: Iterable[Preference], seed: int) -> None:
    connection.execute("CREATE TABLE rows (place BLOB, number INTEGER, grouped BLOB, row BLOB, PRIMARY KEY (place, number)) WITHOUT ROWID")
    connection.execute("BEGIN")
    encoder = msgspec.msgpack.Encoder()
    for number, row in enumerate(rows):
        place = hashlib.blake2b(f"{seed} {number}".encode(), digest_size=8).digest()
        connection.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", (place, number, _group(row), encoder.encode(row)))
    connection.execute("COMMIT")


def _spread(connection: sqlite3.Connection, distance: int) -> Iterator[Preference]:
    """The rows in order; one whose group was among the last ones waits until it is not. Only keys are held while rows wait."""
    recent: deque[bytes] = deque(maxlen=distance)
    waiting: deque[tuple[bytes, int, bytes]] = deque()
    drawn = connection.execute("SELECT place, number, grouped FROM rows ORDER BY place, number")
    while True:
        key = next((each for each in waiting if each[2] not in recent), None)
        if key is not None:
            waiting.remove(key)
        else:
            key = drawn.fetchone()
            if key is None:
                break
            if key[2] in recent:
                waiting.append(key)
                continue
        recent.append(key[2])
        yield _row(connection, key)
    for key in waiting:
        yield _row(connection, key)


def _row(connection: sqlite3.Connection, key: tuple[bytes, int, bytes]) -> Preference:
    (packed,) = connection.execute("SELECT row FROM rows WHERE place = ? AND number = ?", key[:2]).fetchone()
    return msgspec.msgpack.decode(packed, type=Preference)


def _group(row: Preference) -> bytes:
    """Rows of one problem have prompts that begin alike; equal prompts of different problems are the same problem elsewhere."""
    first = next((message.content for message in row.prompt if message.role == "user"), "")
    return hashlib.blake2b(first.encode("utf-8", "replace"), digest_size=8).digest()
