"""British drivers and their gallons."""

from __future__ import annotations

from decimal import Decimal

LITRES_PER_GALLON = 4.54609
KM_PER_MILE = 1.609344


def gallons(litres: Decimal) -> Decimal:
    return litres / LITRES_PER_GALLON


def miles_per_gallon(km: int, litres: Decimal) -> Decimal:
    """Rounded to a tenth."""
    return (km / KM_PER_MILE / gallons(litres)).quantize(Decimal("0.1"))
