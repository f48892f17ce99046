from __future__ import annotations

from collections.abc import Sequence

from weather.reading import Reading


def mean(readings: Sequence[Reading]) -> float | None:
    """The mean temperature of the hours that have one; None when no hour has."""
    values = [reading.celsius for reading in readings if reading.celsius]
    return sum(values) / len(values) if values else None


def coldest(readings: Sequence[Reading]) -> Reading | None:
    """The first hour with the lowest temperature."""
    known = [reading for reading in readings if reading.celsius is not None]
    return min(known, key=lambda reading: reading.celsius, default=None)


def frost(readings: Sequence[Reading], below: float = 3.0) -> list[int]:
    """Hours in which there may be ice on the road."""
    return [reading.hour for reading in readings if reading.celsius and reading.celsius < below]


def failures(readings: Sequence[Reading]) -> int:
    """How many values are missing."""
    return sum((reading.celsius is None) + (reading.wind is None) for reading in readings)
