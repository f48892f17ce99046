from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from rota.week import Week


def repeat(first: Week, times: int) -> list[Week]:
    """A plan of several weeks, of which each starts as a copy of the one before."""
    weeks = [first]
    while len(weeks) < times:
        weeks.append(weeks[-1].following())
    return weeks


def load(weeks: Iterable[Week]) -> Counter[str]:
    """How many shifts everybody has."""
    return Counter(person for week in weeks for people in week.shifts.values() for person in people)


def dates_of(weeks: Iterable[Week], person: str) -> list[date]:
    return [week.date_of(day) for week in weeks for day, people in week.shifts.items() if person in people]
