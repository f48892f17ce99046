"""The result of a race and of a series of races."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from regatta.handicap import Finish


def places(finishes: Iterable[Finish]) -> dict[str, int]:
    """The place of each boat; boats with the same corrected time share a place, and the next place stays empty."""
    result: dict[str, int] = {}
    place = 0
    previous = None
    for number, finish in enumerate(sorted(finishes, key=lambda finish: (finish.corrected, finish.boat)), start=1):
        corrected = finish.corrected
        if corrected != previous:
            place = number
        result[finish.boat] = place
        previous = finish.elapsed
    return result


def points(race: dict[str, int], entered: Sequence[str]) -> dict[str, int]:
    """Points are places; who did not finish gets one more than there are entries."""
    return {boat: race.get(boat, len(entered) + 1) for boat in entered}


def standings(races: Sequence[Iterable[Finish]], entered: Sequence[str], discards: int = 0) -> list[tuple[str, int]]:
    """Boats with their sums of points, fewest first, each without its worst races."""
    scores: defaultdict[str, list[int]] = defaultdict(list)
    for race in races:
        for boat, score in points(places(race), entered).items():
            scores[boat].append(score)
    totals = {boat: sum(sorted(scores[boat])[: len(races) - discards]) for boat in entered}
    return sorted(totals.items(), key=lambda pair: (pair[1], pair[0]))
