from __future__ import annotations

from dataclasses import dataclass, field

from orchard.harvest import kilos_by_row, mean_kilos, total_kilos
from orchard.trees import AppleTree, PearTree, Tree


@dataclass
class Orchard:
    apples: list[AppleTree] = field(default_factory=list)
    pears: list[PearTree] = field(default_factory=list)

    def trees(self) -> list[Tree]:
        return [*self.apples, *self.pears]

    def rows(self) -> dict[int, float]:
        return kilos_by_row(self.trees())

    def share_of_apples(self) -> float:
        """The part of the whole harvest that is apples."""
        everything = total_kilos(self.trees())
        return total_kilos(self.apples) / everything if everything else 0.0

    def weak_apples(self) -> list[AppleTree]:
        """The apple trees that bear less than half of what an apple tree bears on average."""
        limit = mean_kilos(self.apples) / 2
        return [tree for tree in self.apples if tree.kilos < limit]

    def to_replace(self, year: int, oldest: int = 40) -> list[Tree]:
        """The trees that are too old, oldest first."""
        return sorted((tree for tree in self.trees() if tree.age(year) > oldest), key=lambda tree: tree.planted)
