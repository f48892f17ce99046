"""A forest on a grid in which fire spreads from tree to tree."""

from __future__ import annotations

from collections.abc import Iterator

TREE, FIRE, ASH, BARE = "T", "F", "a", "."
MARKS = {TREE, FIRE, ASH, BARE}


class Forest:
    def __init__(self, text: str) -> None:
        self.rows = [list(line) for line in text.split()]
        if not all(mark in MARKS for row in self.rows for mark in row):
            raise ValueError("unknown mark")

    def __str__(self) -> str:
        return "\n".join("".join(row) for row in self.rows)

    def count(self, mark: str) -> int:
        return sum(row.count(mark) for row in self.rows)

    def ignite(self, x: int, y: int) -> None:
        """Set a tree on fire; anything else stays as it is."""
        if self.rows[y][x] == TREE:
            self.rows[y][x] = FIRE

    def around(self, x: int, y: int) -> Iterator[str]:
        """The marks of the four squares next to one."""
        for nx, ny in ((x, y - 1), (x - 1, y), (x + 1, y), (x, y + 1)):
            if 0 <= ny < len(self.rows) and 0 <= nx < len(self.rows[ny]):
                yield self.rows[ny][nx]

    def step(self) -> None:
        """One hour: what burns becomes ash, and trees next to what burnt begin to burn."""
        following = list(self.rows)
        for y, row in enumerate(self.rows):
            for x, mark in enumerate(row):
                if mark == FIRE:
                    following[y][x] = ASH
                elif mark == TREE and FIRE in self.around(x, y):
                    following[y][x] = FIRE
        self.rows = following
