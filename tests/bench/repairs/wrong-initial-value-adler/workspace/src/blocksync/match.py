"""Blocks of an old file that a new one still has."""

from __future__ import annotations

import zlib

from blocksync.rolling import RollingSum


def signatures(old: bytes, size: int) -> dict[int, list[int]]:
    """Positions of the old file's whole blocks, by their Adler-32."""
    found: dict[int, list[int]] = {}
    for start in range(0, len(old) - size + 1, size):
        found.setdefault(zlib.adler32(old[start : start + size]), []).append(start)
    return found


def matches(old: bytes, new: bytes, size: int) -> list[tuple[int, int]]:
    """Where in the new file a block of the old one begins, and where that block was."""
    if size < 1:
        raise ValueError("a block has at least one byte")
    known = signatures(old, size)
    pairs: list[tuple[int, int]] = []
    place, window = 0, RollingSum(new[:size])
    while place + size <= len(new):
        block = new[place : place + size]
        origin = next((start for start in known.get(window.value, ()) if old[start : start + size] == block), None)
        if origin is not None:
            pairs.append((place, origin))
            place += size
            window = RollingSum(new[place : place + size])
            continue
        if place + size < len(new):
            window.roll(new[place], new[place + size])
        place += 1
    return pairs
