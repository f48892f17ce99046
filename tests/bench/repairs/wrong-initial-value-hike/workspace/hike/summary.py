from __future__ import annotations

from collections.abc import Sequence

from hike.track import Point, ascent, distance, minutes


def effort(points: Sequence[Point]) -> float:
    """Kilometres on the flat that would be as hard: a hundred metres of climbing count as one more."""
    return round(distance(points) + ascent(points) / 100, 1)


def grade(points: Sequence[Point]) -> str:
    value = effort(points)
    if value < 8:
        return "easy"
    return "moderate" if value < 16 else "hard"


def pace(points: Sequence[Point]) -> str:
    """Minutes for each kilometre, as in `12:30`; a dash if there is no distance."""
    if not distance(points):
        return "-"
    whole, seconds = divmod(round(60 * minutes(points) / distance(points)), 60)
    return f"{whole}:{seconds:02d}"
