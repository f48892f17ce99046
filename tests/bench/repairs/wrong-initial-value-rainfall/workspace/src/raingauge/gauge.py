"""The log of a collecting gauge: how high the water stands each morning."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Reading(NamedTuple):
    day: date
    level: float


def parse_log(text: str) -> list[Reading]:
    """Read lines such as `2023-04-05 12.5`, in millimetres, and put them in order of time; # starts a remark."""
    readings = []
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if words:
            day, level = words
            readings.append(Reading(date.fromisoformat(day), float(level)))
    return sorted(readings)
