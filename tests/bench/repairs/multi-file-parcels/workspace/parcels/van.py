from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from parcels.parcel import Parcel


@dataclass
class Van:
    """A van that carries so many kilograms."""

    plate: str
    payload: int
    parcels: list[Parcel] = field(default_factory=list)

    @property
    def left(self) -> int:
        """How many grams still fit."""
        return self.payload - sum(parcel.weight for parcel in self.parcels)

    def load(self, parcel: Parcel) -> bool:
        if parcel.weight > self.left:
            return False
        self.parcels.append(parcel)
        return True


def distribute(parcels: Iterable[Parcel], vans: Iterable[Van]) -> list[Parcel]:
    """Load express parcels first, then heavy ones, each in the first van with room; return what fits nowhere."""
    fleet = list(vans)
    ordered = sorted(parcels, key=lambda parcel: (not parcel.express, -parcel.weight))
    return [parcel for parcel in ordered if not any(van.load(parcel) for van in fleet)]
