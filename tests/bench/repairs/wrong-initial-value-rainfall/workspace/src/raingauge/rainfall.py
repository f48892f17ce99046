"""How much rain fell, told from the levels of a gauge that collects it until somebody empties it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date

from raingauge.gauge import Reading


def daily_rainfall(readings: Sequence[Reading]) -> dict[date, float]:
    """The rain between each reading and the one before it, under the day of the later one.

    A level below the one before means that the gauge was emptied in between; all that is in it fell since.
    """
    if len(readings) < 2:
        raise ValueError("at least two readings are needed")
    amounts = {}
    previous = 0.0
    for day, level in readings[1:]:
        amounts[day] = round(level - previous if level >= previous else level, 1)
        previous = level
    return amounts


def monthly_totals(readings: Sequence[Reading]) -> dict[str, float]:
    totals: dict[str, float] = defaultdict(float)
    for day, amount in daily_rainfall(readings).items():
        totals[f"{day:%Y-%m}"] += amount
    return {month: round(total, 1) for month, total in totals.items()}


def wettest_day(readings: Sequence[Reading]) -> date | None:
    """The day with the most rain, the earliest on a tie; None when it was dry all along."""
    amounts = daily_rainfall(readings)
    day = max(amounts, key=amounts.__getitem__)
    return day if amounts[day] > 0 else None
