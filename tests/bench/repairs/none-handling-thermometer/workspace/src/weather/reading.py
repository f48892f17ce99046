from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reading:
    """What a station measured in an hour; a value is None when its sensor failed."""

    hour: int
    celsius: float | None = None
    wind: float | None = None

    def line(self) -> str:
        """The reading for people; a failed sensor is shown as a dash."""
        celsius = f"{self.celsius:.1f}" if self.celsius else "-"
        wind = f"{self.wind:.0f}" if self.wind else "-"
        return f"{self.hour:02}:00 {celsius:>5} {wind:>3}"
