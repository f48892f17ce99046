"""Sailings and the room on their car decks."""

from __future__ import annotations

from dataclasses import dataclass, field


class DeckFull(Exception):
    """There is not enough room on the deck."""


@dataclass
class Sailing:
    code: str
    metres: int
    """Length of all the lanes of the car deck."""
    taken: int = field(default=0, init=False)

    @property
    def free(self) -> int:
        return self.metres - self.taken

    def check(self, length: int) -> None:
        if length < 1:
            raise ValueError("a vehicle has a length of at least one metre")
        if length > self.free:
            raise DeckFull(f"{self.code}: {length} m wanted, {self.free} m free")
