"""Conway's game of life on a bounded grid."""

from __future__ import annotations

Grid = list[list[int]]


def empty(rows: int, columns: int) -> Grid:
    return [[0] * columns] * rows


def parse(text: str) -> Grid:
    """`#` is alive, everything else is dead."""
    return [[int(char == "#") for char in line] for line in text.split()]


def neighbours(grid: Grid, row: int, column: int) -> int:
    """Living cells around a cell."""
    total = 0
    for r in range(max(0, row - 1), min(len(grid), row + 2)):
        for c in range(max(0, column - 1), min(len(grid[0]), column + 2)):
            if (r, c) != (row, column):
                total += grid[r][c]
    return total


def step(grid: Grid) -> Grid:
    after = empty(len(grid), len(grid[0]))
    for row, cells in enumerate(grid):
        for column, alive in enumerate(cells):
            around = neighbours(grid, row, column)
            after[row][column] = int(around == 3 or (alive and around == 2))
    return after


def render(grid: Grid) -> str:
    return "\n".join("".join("#" if cell else "." for cell in row) for row in grid)
