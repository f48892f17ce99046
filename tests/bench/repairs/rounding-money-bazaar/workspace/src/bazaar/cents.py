"""Amounts of money as whole cents."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"\d+(?:\.\d{1,2})?")


def to_cents(text: str) -> int:
    """The cents of an amount such as `12`, `3.5` or `0.75`."""
    amount = text.strip()
    if not _AMOUNT.fullmatch(amount):
        raise ValueError(f"not an amount: {text!r}")
    return int(float(amount) * 100)


def to_text(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02}"
