"""Who works on which day of a week."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def empty() -> dict[str, list[str]]:
    return {day: [] for day in DAYS}


@dataclass
class Week:
    monday: date
    shifts: dict[str, list[str]] = field(default_factory=empty)

    def __post_init__(self) -> None:
        if self.monday.weekday() != 0:
            raise ValueError(f"{self.monday} is not a Monday")

    def assign(self, person: str, *days: str) -> None:
        for day in days:
            if person not in self.shifts[day]:
                self.shifts[day].append(person)

    def swap(self, day: str, out: str, into: str) -> None:
        """Let somebody work instead of somebody else; raises ValueError if the latter does not work that day."""
        people = self.shifts[day]
        people[people.index(out)] = into

    def following(self) -> Week:
        """A week later, with the same shifts to start from."""
        return Week(self.monday + timedelta(days=7), dict(self.shifts))

    def date_of(self, day: str) -> date:
        return self.monday + timedelta(days=DAYS.index(day))
