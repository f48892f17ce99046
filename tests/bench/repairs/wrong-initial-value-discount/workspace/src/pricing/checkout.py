"""From a subtotal to the price that is charged."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from pricing.rules import Discount, combined_factor

CENT = Decimal("0.01")


def charge(subtotal: Decimal, discounts: list[Discount]) -> Decimal:
    applicable = [discount for discount in discounts if discount.applies_to(subtotal)]
    price = subtotal * combined_factor(applicable)
    return price.quantize(CENT, rounding=ROUND_HALF_UP)
