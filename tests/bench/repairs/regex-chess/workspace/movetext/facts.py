"""Facts about a game that do not need a board."""

from __future__ import annotations

from movetext.scan import moves

_SIDES = {"O-O": "king", "O-O-O": "queen"}


def castlings(text: str) -> tuple[str | None, str | None]:
    """To which side White and Black castled; None for one that did not."""
    sides: list[str | None] = [None, None]
    for number, move in enumerate(moves(text)):
        side = _SIDES.get(move.rstrip("+#"))
        if side:
            sides[number % 2] = side
    return sides[0], sides[1]


def captures(text: str) -> int:
    return sum("x" in move for move in moves(text))
