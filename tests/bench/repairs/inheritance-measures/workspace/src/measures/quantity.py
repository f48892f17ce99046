from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self


class Quantity:
    """An amount in the base unit of its kind; subclasses say which units there are."""

    units: ClassVar[Mapping[str, float]] = {"": 1}

    def __init__(self, amount: float) -> None:
        self.amount = amount

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `12.5 km`; raises ValueError for a unit of another kind."""
        number, _, unit = text.strip().partition(" ")
        if unit not in cls.units:
            raise ValueError(f"{unit!r} is no unit of {cls.__name__}")
        return Quantity(float(number) * cls.units[unit])

    def to(self, unit: str) -> float:
        return self.amount / self.units[unit]

    def __add__(self, other: object) -> Self:
        if type(other) is not type(self):
            return NotImplemented
        return Quantity(self.amount + other.amount)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.amount == other.amount

    def __hash__(self) -> int:
        return hash((type(self), self.amount))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.amount:g})"
