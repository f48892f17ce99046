"""Lessons of a school, by day and by room."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")


@dataclass(frozen=True)
class Lesson:
    day: str
    start: int
    """Hour of the day."""
    subject: str
    room: str = ""

    @property
    def order(self) -> tuple[int, int]:
        return DAYS.index(self.day), self.start


def by_day(lessons: Iterable[Lesson]) -> dict[str, list[Lesson]]:
    """The lessons of each day, in the order of the week and of the day; days without lessons are left out."""
    ordered = sorted(lessons, key=lambda lesson: lesson.order)
    return {day: group for day, group in groupby(ordered, key=lambda lesson: lesson.day)}


def week(lessons: Iterable[Lesson]) -> str:
    """The plan for the notice board."""
    lines = []
    for day, of_day in by_day(lessons).items():
        lines.append(f"{day}: " + ", ".join(f"{lesson.start} {lesson.subject}" for lesson in of_day))
    return "\n".join(lines)


def clashes(lessons: Iterable[Lesson]) -> list[tuple[str, int, str]]:
    """Days, hours and rooms with more than one lesson."""
    seen: dict[tuple[str, int, str], int] = {}
    for lesson in lessons:
        if lesson.room:
            place = (lesson.day, lesson.start, lesson.room)
            seen[place] = seen.get(place, 0) + 1
    return [place for place, number in seen.items() if number > 1]
