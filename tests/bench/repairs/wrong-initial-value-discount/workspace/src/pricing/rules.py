"""Discount rules and how they combine."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Discount:
    name: str
    percent: Decimal
    minimum: Decimal = Decimal(0)

    def applies_to(self, subtotal: Decimal) -> bool:
        return subtotal >= self.minimum


def combined_factor(discounts: list[Discount]) -> Decimal:
    """What remains of a price when all discounts are applied one after another."""
    factor = Decimal(0)
    for discount in discounts:
        factor *= (Decimal(100) - discount.percent) / Decimal(100)
    return factor


def best_single(discounts: list[Discount]) -> Discount | None:
    return max(discounts, key=lambda discount: discount.percent, default=None)
