"""What a command prints, kept within bounds: the head and the tail, and a count of the rest."""

from __future__ import annotations

STOP_FACTOR = 8
"""A command that writes this many times the limit is stopped."""


class Output:
    """One stream of a command."""

    def __init__(self, limit: int) -> None:
        self._half = max(limit // 2, 1)
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    @property
    def flooded(self) -> bool:
        """Whether so much was written that the command must be stopped."""
        return self.total > 2 * self._half * STOP_FACTOR

    @property
    def cut(self) -> bool:
        """Whether something was left out."""
        return self.total > 2 * self._half

    def add(self, data: bytes) -> None:
        """Take what was read."""
        self.total += len(data)
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[max(room, 0) :]
        if len(self._tail) > 2 * self._half:
            del self._tail[: -self._half]

    def content(self) -> bytes:
        """Head and tail, with a line between them that says how much is missing."""
        if not self.cut:
            return bytes(self._head + self._tail)
        tail = self._tail[-self._half :]
        return bytes(self._head) + b"\n[... %d bytes left out ...]\n" % (self.total - len(self._head) - len(tail)) + bytes(tail)
