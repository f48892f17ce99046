from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

NORMAL = Decimal(40)


def parse(text: str) -> Decimal:
    """Hours from `7:45` or `7.75`."""
    if ":" in text:
        hours, minutes = text.split(":")
        if not 0 <= int(minutes) < 60:
            raise ValueError(f"not a time: {text}")
        return Decimal(hours) + Decimal(minutes) / 60
    return Decimal(text)


def split(days: Iterable[Decimal]) -> tuple[Decimal, Decimal]:
    """The normal hours of a week and those beyond them."""
    total = sum(days, Decimal())
    normal = min(total, NORMAL)
    return normal, total - normal
