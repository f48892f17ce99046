"""Tracks that a hiker's watch has recorded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    minute: int
    kilometre: float
    elevation: int


def parse(lines: Iterable[str]) -> list[Point]:
    """Points from lines such as `15 1.2 640`, in the order of time."""
    points = []
    for line in lines:
        minute, kilometre, elevation = line.split()
        points.append(Point(int(minute), float(kilometre), int(elevation)))
    return sorted(points, key=lambda point: point.minute)


def ascent(points: Sequence[Point], noise: int = 3) -> int:
    """Metres of climbing from the start on; changes smaller than the noise of the watch are not counted."""
    total = reference = 0
    for point in points:
        change = point.elevation - reference
        if abs(change) < noise:
            continue
        if change > 0:
            total += change
        reference = point.elevation
    return total


def distance(points: Sequence[Point]) -> float:
    return points[-1].kilometre - points[0].kilometre if points else 0.0


def minutes(points: Sequence[Point]) -> int:
    return points[-1].minute - points[0].minute if points else 0
