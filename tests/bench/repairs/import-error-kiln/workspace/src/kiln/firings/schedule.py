from __future__ import annotations

from collections.abc import Iterable

from .segment import Segment
from .units import clock

ROOM = 20.0


class Schedule:
    def __init__(self, name: str, segments: Iterable[Segment]) -> None:
        self.name = name
        self.segments = tuple(segments)

    def minutes(self) -> float:
        """How long the firing takes from room temperature to the end of its last segment."""
        total, temperature = 0.0, ROOM
        for segment in self.segments:
            total += segment.minutes(temperature)
            temperature = segment.target
        return total

    @property
    def peak(self) -> float:
        return max((segment.target for segment in self.segments), default=ROOM)

    def __str__(self) -> str:
        return f"{self.name} to {self.peak:.0f} °C in {clock(self.minutes())}"
