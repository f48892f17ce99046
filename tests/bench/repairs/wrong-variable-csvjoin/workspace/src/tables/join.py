"""Joins over lists of dictionaries, as csv.DictReader gives them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

Row = dict[str, str]


def index_by(rows: Iterable[Row], key: str) -> dict[str, list[Row]]:
    """Group the rows by the value of one column."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return dict(groups)


def inner_join(left: Iterable[Row], right: Iterable[Row], key: str) -> list[Row]:
    """Every pair of rows with an equal key, in the order of `left`."""
    lookup = index_by(right, key)
    joined = []
    for row in left:
        for match in lookup.get(row[key], []):
            joined.append({**row, **match})
    return joined


def left_join(left: Iterable[Row], right: Iterable[Row], key: str, fill: str = "") -> list[Row]:
    """Like inner_join, but rows without a match are kept and their missing columns get `fill`."""
    right = list(right)
    columns = [name for name in (right[0] if right else {}) if name != key]
    lookup = index_by(right, key)
    joined = []
    for row in left:
        matches = lookup.get(row[key])
        if matches is None:
            joined.append({**row, **dict.fromkeys(columns, fill)})
            continue
        for match in matches:
            joined.append({**row, **row})
    return joined
