"""Adler-32 over a window that moves along the data byte by byte."""

from __future__ import annotations

_PRIME = 65521


class RollingSum:
    """The sum of the bytes in the window; it fills with `add` and moves with `roll`."""

    def __init__(self, data: bytes = b"") -> None:
        self.size = 0
        self._low = 0
        self._high = 0
        for byte in data:
            self.add(byte)

    def add(self, byte: int) -> None:
        """Put a byte behind the window, which grows by one."""
        self._low = (self._low + byte) % _PRIME
        self._high = (self._high + self._low) % _PRIME
        self.size += 1

    def roll(self, leaving: int, entering: int) -> None:
        """Move the window by one byte."""
        self._low = (self._low - leaving + entering) % _PRIME
        self._high = (self._high - self.size * leaving - 1 + self._low) % _PRIME

    @property
    def value(self) -> int:
        return self._high << 16 | self._low
