from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Fill:
    """One stop at a filling station."""

    odometer: int
    litres: Decimal
    price: Decimal
    """Of one litre."""

    @classmethod
    def parse(cls, line: str) -> Fill:
        """A fill from `odometer;litres;price`, with commas or dots as decimal separator."""
        odometer, litres, price = line.replace(",", ".").split(";")
        return cls(int(odometer), Decimal(litres), Decimal(price))

    @property
    def cost(self) -> Decimal:
        return (self.litres * self.price).quantize(Decimal("0.01"))
