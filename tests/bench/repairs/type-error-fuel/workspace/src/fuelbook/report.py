from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from fuelbook.fill import Fill
from fuelbook.units import miles_per_gallon

REFUND = 0.045
"""What the employer pays back for a kilometre."""


def distance(fills: Sequence[Fill]) -> int:
    return fills[-1].odometer - fills[0].odometer if fills else 0


def burnt(fills: Sequence[Fill]) -> Decimal:
    """The fuel of the whole distance: all fills but the first, which was for the way before."""
    return sum((fill.litres for fill in fills[1:]), Decimal())


def per_hundred(fills: Sequence[Fill]) -> Decimal:
    """Litres per 100 km, rounded to a tenth."""
    return (burnt(fills) * 100 / distance(fills)).quantize(Decimal("0.1"))


def own_share(fills: Sequence[Fill]) -> Decimal:
    """What the driver bears after the refund."""
    paid = sum((fill.cost for fill in fills[1:]), Decimal())
    return (paid - distance(fills) * REFUND).quantize(Decimal("0.01"))


def british(fills: Sequence[Fill]) -> str:
    return f"{miles_per_gallon(distance(fills), burnt(fills))} mpg"
