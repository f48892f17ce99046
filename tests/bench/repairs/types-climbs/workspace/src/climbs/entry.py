from __future__ import annotations

from typing import NotRequired, TypedDict


class Climb(TypedDict):
    """A climb as it is stored in the logbook's JSON file."""

    route: str
    grade: int
    attempts: int
    partner: NotRequired[str]


def flash(route: str, grade: int) -> Climb:
    """A climb that was done at the first attempt."""
    return {"route": route, "grade": grade}


def worked(route: str, grade: int, attempts: int, partner: str | None = None) -> Climb:
    climb: Climb = {"route": route, "grade": grade, "attempts": attempts}
    if partner is not None:
        climb["partner"] = partner
    return climb
