"""Rows that say what another row said already: exactly; with the same answer and patch to the same prompt but for numbers and blanks; or
with the same patch for the same check.

What was seen is kept in a temporary SQLite file, so that memory does not grow with the dataset.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from suture_training.data.leakage import changed_lines
from suture_training.data.rows import Pair, Preference, Row

Near = Literal["off", "conversation", "patch"]
"""What counts as said already beside exact repetitions; each includes those before it. `patch`: see `Alike`."""

_NOISE = b"0123456789. \t\r\n"
"""What a prompt may differ in and still ask the same: numbers, blanks. An answer's numbers count."""
_BLANK = b" \t\r\n"


class Alike(msgspec.Struct, frozen=True, kw_only=True):
    """How alike rows may be. Decisions of people are only ever compared exactly: two people may decide alike, and differently."""

    near: Near = "patch"
    most: int = 1
    """Rows of one repository and check that end in the same patch."""


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What a row is compared by."""

    exact: bytes
    near: bytes | None = None
    patch: bytes | None = None


def keys_of(row: Row, encoded: list[bytes]) -> Keys:
    """The keys of a row; `encoded`: its messages, each as JSON, the answers last."""
    if isinstance(row, Preference):
        return Keys(exact=_digest(b"\0".join([*encoded, b"good" if row.label else b"bad"])))
    exact = b"\0".join(encoded)
    if isinstance(row, Pair):
        return Keys(exact=_digest(exact))
    answer = len(exact) - len(encoded[-1])
    patch = changed_lines(row.patch)
    near = exact[:answer].translate(None, _NOISE) + exact[answer:].translate(None, _BLANK) + patch
    where = f"{row.origin.repository}\0{row.origin.check}\0{row.origin.part}\0".encode()
    return Keys(exact=_digest(exact), near=_digest(near), patch=_digest(where + patch) if row.patch else None)


class Seen:
    """Remembers what was seen, on disk."""

    def __init__(self, path: Path, alike: Alike) -> None:
        self._alike = alike
        self._connection = sqlite3.connect(path, isolation_level=None)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "locking_mode = EXCLUSIVE", "cache_size = -8192"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("CREATE TABLE said (near BLOB PRIMARY KEY, exact BLOB NOT NULL) WITHOUT ROWID")
        self._connection.execute("CREATE TABLE patches (key BLOB PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID")
        self._connection.execute("BEGIN")

    def again(self, batch: Sequence[Keys]) -> list[str]:
        """How each row repeats what was seen, earlier ones of the batch included; empty for a new one, which counts as seen from now on.

        At most some thousands of rows. A batch at a time: a statement for each row costs more than all else that is done about it.
        """
        nears = [keys.exact if keys.near is None or self._alike.near == "off" else keys.near for keys in batch]
        patches = [keys.patch if self._alike.near == "patch" else None for keys in batch]
        said: dict[bytes, bytes] = dict(self._rows("SELECT near, exact FROM said WHERE near", nears))
        times: dict[bytes, int] = dict(self._rows("SELECT key, times FROM patches WHERE key", [key for key in patches if key is not None]))
        fresh, counted, found = dict[bytes, bytes](), dict[bytes, int](), list[str]()
        for near, patch, keys in zip(nears, patches, batch, strict=True):
            known = said.get(near)
            if known is not None:
                found.append("an exact duplicate" if known == keys.exact else "a near duplicate")
                continue
            said[near] = fresh[near] = keys.exact
            if patch is not None:
                times[patch] = counted[patch] = times.get(patch, 0) + 1
            found.append("the same patch again" if patch is not None and times[patch] > self._alike.most else "")
        self._connection.executemany("INSERT INTO said VALUES (?, ?)", fresh.items())
        self._connection.executemany("INSERT OR REPLACE INTO patches VALUES (?, ?)", counted.items())
        return found

    def close(self) -> None:
        """Forget."""
        self._connection.close()

    def _rows(self, select: str, keys: Sequence[bytes]) -> list[Any]:
        """The rows of some keys."""
        return self._connection.execute(f"{select} IN ({','.join('?' * len(keys))})", keys).fetchall()


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:16]
