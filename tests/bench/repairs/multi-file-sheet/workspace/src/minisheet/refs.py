"""Names of cells, such as `A1`."""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME = re.compile(r"([A-Z])([1-9][0-9]*)")


class Ref(NamedTuple):
    """Where a cell is; rows and columns are counted from 0, so that `A1` is (0, 0)."""

    row: int
    column: int


def parse(name: str) -> Ref:
    found = _NAME.fullmatch(name.strip().upper())
    if found is None:
        raise ValueError(f"not a cell: {name!r}")
    letter, number = found.groups()
    return Ref(int(number) - 1, ord(letter) - ord("A"))


def name_of(ref: Ref) -> str:
    return f"{chr(ord('A') + ref.column - 1)}{ref.row}"
