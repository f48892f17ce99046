"""Draws that can be repeated: the same seed and the same people give the same winners."""

from __future__ import annotations

import random
from collections.abc import Iterable


class Raffle:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._people: set[str] = set()
        self.winners: list[str] = []

    def enter(self, people: Iterable[str]) -> None:
        """Let people take part; nobody has more than one chance."""
        self._people.update(person.strip().lower() for person in people)

    def draw(self, prizes: int) -> list[str]:
        """Draw that many winners among the people who have not won yet; all of them when there are too few."""
        candidates = self._people - set(self.winners)
        drawn = self._random.sample(candidates, min(prizes, len(candidates)))
        self.winners.extend(drawn)
        return drawn

    def left(self) -> list[str]:
        return sorted(self._people - set(self.winners))


def teams(people: Iterable[str], size: int, seed: int) -> list[list[str]]:
    """Teams by lot; the last one may be smaller."""
    order = sorted(people)
    random.Random(seed).shuffle(order)
    return [order[start : start + size] for start in range(0, len(order), size)]
