from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, order=True)
class Sighting:
    day: date
    species: str
    place: str
    count: int = 1

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError("a sighting has at least one bird")
