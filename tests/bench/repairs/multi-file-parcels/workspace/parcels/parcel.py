from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Parcel:
    """A parcel; its weight is a whole number of grams."""

    code: str
    weight: int
    express: bool = False


def parse_weight(text: str) -> int:
    """Grams from `750 g`, `2 kg` or `1.25 kg`."""
    number, _, unit = text.strip().partition(" ")
    factors = {"g": 1, "kg": 1000}
    if unit not in factors:
        raise ValueError(f"unknown unit: {text!r}")
    grams = Decimal(number) * factors[unit]
    if grams <= 0 or grams != int(grams):
        raise ValueError(f"not a weight: {text!r}")
    return int(grams)


def parse(line: str) -> Parcel:
    """A parcel from a line such as `RX12; 1.25 kg; express`."""
    code, weight, *rest = (part.strip() for part in line.split(";"))
    return Parcel(code, parse_weight(weight), express="express" in rest)
