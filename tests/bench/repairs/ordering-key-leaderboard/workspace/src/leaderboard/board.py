from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    player: str
    points: int


class Board:
    def __init__(self) -> None:
        self._points: dict[str, int] = {}

    def add(self, player: str, points: int) -> None:
        self._points[player] = self._points.get(player, 0) + points

    def ranking(self) -> list[Score]:
        """Highest score first; players with equal scores in alphabetical order."""
        scores = [Score(player, points) for player, points in self._points.items()]
        return sorted(scores, key=lambda score: (score.points, score.player), reverse=True)

    def places(self) -> dict[str, int]:
        """Place of each player, from 1; equal scores share a place."""
        places: dict[str, int] = {}
        previous: Score | None = None
        for index, score in enumerate(self.ranking(), start=1):
            if previous is not None and previous.points == score.points:
                places[score.player] = places[previous.player]
            else:
                places[score.player] = index
            previous = score
        return places
