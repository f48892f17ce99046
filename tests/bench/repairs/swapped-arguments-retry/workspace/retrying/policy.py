from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


def clamp(value: float, low: float, high: float) -> float:
    """The value, moved into low..high."""
    return max(low, min(value, high))


@dataclass(frozen=True)
class Backoff:
    """Exponentially growing pauses between attempts."""

    first: float = 0.5
    factor: float = 2.0
    longest: float = 10.0
    attempts: int = 5

    def delays(self) -> Iterator[float]:
        """One pause for each repetition, never shorter than the first nor longer than the longest."""
        delay = self.first
        for _ in range(self.attempts - 1):
            yield clamp(self.first, delay, self.longest)
            delay *= self.factor
