from __future__ import annotations

from measures.quantity import Quantity


class Length(Quantity):
    """In metres."""

    units = {"m": 1, "km": 1000, "cm": 0.01, "mi": 1609.344}

    def __str__(self) -> str:
        return f"{self.to('km'):g} km" if self.amount >= 1000 else f"{self.amount:g} m"


class Mass(Quantity):
    """In grams."""

    units = {"g": 1, "kg": 1000, "t": 1_000_000}

    def __str__(self) -> str:
        return f"{self.to('kg'):g} kg" if self.amount >= 1000 else f"{self.amount:g} g"
