from __future__ import annotations

from collections.abc import Sequence

from minisheet.refs import Ref


class Grid:
    """Numbers in rows, which may differ in length."""

    def __init__(self, rows: Sequence[Sequence[float]]) -> None:
        self._rows = [list(row) for row in rows]

    def get(self, ref: Ref) -> float:
        """The number in a cell; 0 beyond the edge."""
        if ref.row > len(self._rows) or ref.column > len(self._rows[ref.row - 1]):
            return 0
        return self._rows[ref.row - 1][ref.column - 1]

    def put(self, ref: Ref, value: float) -> None:
        """Set a cell; the grid grows as far as it must."""
        while len(self._rows) < ref.row:
            self._rows.append([])
        row = self._rows[ref.row - 1]
        row.extend([0] * (ref.column - len(row)))
        row[ref.column - 1] = value
