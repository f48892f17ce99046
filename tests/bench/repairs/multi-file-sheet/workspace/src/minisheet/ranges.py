from __future__ import annotations

from collections.abc import Iterator

from minisheet.refs import Ref, parse


def cells(text: str) -> Iterator[Ref]:
    """The cells of a range such as `A1:B3`, row by row; a single cell is a range too."""
    first, _, last = text.partition(":")
    start = parse(first)
    end = parse(last) if last else start
    for row in range(start.row, end.row + 1):
        for column in range(start.column, end.column + 1):
            yield Ref(row, column)
