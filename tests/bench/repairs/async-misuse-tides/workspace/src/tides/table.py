from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    harbour: str
    highs: tuple[int, ...]
    """Minutes of the day, in order."""

    def next_high(self, minute: int) -> int | None:
        return next((high for high in self.highs if high >= minute), None)

    def mean_gap(self) -> float:
        """Mean number of minutes from one high water to the next."""
        if len(self.highs) < 2:
            raise ValueError("at least two high waters are needed")
        return (self.highs[-1] - self.highs[0]) / (len(self.highs) - 1)
