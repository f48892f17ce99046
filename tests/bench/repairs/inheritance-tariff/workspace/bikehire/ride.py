from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Ride:
    minutes: int
    hour: int = 12
    """Hour of the day at which the ride began."""

    @property
    def at_night(self) -> bool:
        return self.hour >= 22 or self.hour < 6

    def shortened(self, minutes: int) -> Ride:
        """The ride without its first minutes."""
        return replace(self, minutes=max(self.minutes - minutes, 0))
