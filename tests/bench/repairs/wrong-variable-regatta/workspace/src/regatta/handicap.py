from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finish:
    """A boat that has crossed the line."""

    boat: str
    rating: int
    """The handicap in thousandths: 1000 is the reference boat, more is faster."""
    elapsed: int
    """Seconds from the start to the line."""

    @property
    def corrected(self) -> int:
        """Whole seconds that the reference boat would have needed."""
        return round(self.elapsed * 1000 / self.rating)


def parse_clock(text: str) -> int:
    """Seconds of `1:02:03` or `02:03`."""
    seconds = 0
    for part in text.split(":"):
        seconds = seconds * 60 + int(part)
    return seconds
