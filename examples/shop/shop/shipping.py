"""What it costs to send a parcel."""

from __future__ import annotations

FREE_FROM = 5000
HEAVY_FROM = 10_000
STANDARD = 490
HEAVY = 990


def shipping_cost(subtotal: int, weight: int = 0) -> int:
    """Heavy parcels cost more; from 50 euros on a parcel that is not heavy is free, and so is an empty one."""
    if subtotal == 0:
        return 0
    if weight >= HEAVY_FROM:
        return HEAVY
    return 0 if subtotal >= FREE_FROM else STANDARD
