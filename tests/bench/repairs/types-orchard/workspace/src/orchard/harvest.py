"""Figures about what trees bear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from orchard.trees import Tree


def total_kilos(trees: Iterable[Tree]) -> float:
    return sum(tree.kilos for tree in trees)


def mean_kilos(trees: list[Tree]) -> float:
    """What a tree bears on average; nothing where there are no trees."""
    return total_kilos(trees) / len(trees) if trees else 0.0


def kilos_by_row(trees: Iterable[Tree]) -> dict[int, float]:
    rows: defaultdict[int, float] = defaultdict(float)
    for tree in trees:
        rows[tree.row] += tree.kilos
    return dict(sorted(rows.items()))
