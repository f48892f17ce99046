"""The trees of an orchard."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tree:
    row: int
    planted: int
    kilos: float = 0.0
    """What the tree bore in its last season."""

    def age(self, year: int) -> int:
        return year - self.planted


@dataclass(frozen=True)
class AppleTree(Tree):
    variety: str = "Boskoop"


@dataclass(frozen=True)
class PearTree(Tree):
    trellis: bool = False
