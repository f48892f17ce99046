from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Segment:
    """A part of a firing: heat or cool to a temperature, then hold it."""

    target: float
    """Degrees Celsius."""
    rate: float
    """Degrees per hour."""
    hold: float = 0
    """Minutes."""

    def minutes(self, start: float) -> float:
        return abs(self.target - start) / self.rate * 60 + self.hold
