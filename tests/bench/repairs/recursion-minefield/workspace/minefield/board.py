from __future__ import annotations

from collections.abc import Iterator

Square = tuple[int, int]


class Board:
    """Where the mines of a game lie, written as lines of `*` and `.`."""

    def __init__(self, text: str) -> None:
        rows = text.split()
        if len({len(row) for row in rows}) != 1:
            raise ValueError("rows of different lengths")
        self.height, self.width = len(rows), len(rows[0])
        self.mines = {(x, y) for y, row in enumerate(rows) for x, mark in enumerate(row) if mark == "*"}

    def neighbours(self, square: Square) -> Iterator[Square]:
        x, y = square
        for ny in range(max(0, y - 1), min(self.height, y + 2)):
            for nx in range(max(0, x - 1), min(self.width, x + 2)):
                if (nx, ny) != square:
                    yield nx, ny

    def count(self, square: Square) -> int:
        """How many mines lie around a square."""
        return sum(neighbour in self.mines for neighbour in self.neighbours(square))
