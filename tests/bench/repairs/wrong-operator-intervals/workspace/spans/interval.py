from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Interval:
    start: int
    end: int

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"end {self.end} lies before start {self.start}")

    def __contains__(self, point: int) -> bool:
        return self.start <= point <= self.end

    def length(self) -> int:
        return self.end - self.start


def overlaps(a: Interval, b: Interval) -> bool:
    """Two intervals overlap when they share at least one point; touching counts."""
    return a.start <= b.end and b.start <= a.end
