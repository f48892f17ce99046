"""Amounts of money are Decimals; only what is printed on a slip is rounded."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def cents(amount: Decimal) -> Decimal:
    """The amount in whole cents, rounded half up."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def show(amount: Decimal) -> str:
    return f"{cents(amount):,}"
