"""Things that hold beer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Vessel(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def litres(self) -> float: ...

    def drain(self, litres: float) -> float:
        """Take beer out, at most as much as there is; return how much it was."""
        ...


class Tank:
    """A tank, of which the last litres stay on the yeast."""

    def __init__(self, name: str, litres: float, yeast: float = 5.0) -> None:
        self.name = name
        self.litres = litres
        self.yeast = yeast

    def drain(self, litres: float) -> float:
        drained = max(0.0, min(litres, self.litres - self.yeast))
        self.litres -= drained
        return drained


@dataclass
class Keg:
    """A keg, which is closed until it is tapped."""

    name: str
    litres: float = 50.0
    tapped: bool = False

    def tap(self) -> None:
        self.tapped = True

    def drain(self, litres: float) -> None:
        if self.tapped:
            self.litres = max(0.0, self.litres - litres)
