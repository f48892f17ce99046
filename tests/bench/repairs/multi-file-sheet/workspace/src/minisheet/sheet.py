from __future__ import annotations

from collections.abc import Sequence

from minisheet.grid import Grid
from minisheet.ranges import cells
from minisheet.refs import name_of, parse


class Sheet:
    def __init__(self, rows: Sequence[Sequence[float]] = ()) -> None:
        self._grid = Grid(rows)

    def __getitem__(self, name: str) -> float:
        return self._grid.get(parse(name))

    def __setitem__(self, name: str, value: float) -> None:
        self._grid.put(parse(name), value)

    def total(self, text: str) -> float:
        return sum(self._grid.get(ref) for ref in cells(text))

    def largest(self, text: str) -> str:
        """The name of the cell with the greatest number; the first of them when there are several."""
        return name_of(max(cells(text), key=self._grid.get))
