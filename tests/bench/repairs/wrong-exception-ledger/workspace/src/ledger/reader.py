"""Read bookings as banks send them: `date;text;amount`, one a line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ledger.errors import ImportProblem


@dataclass(frozen=True)
class Booking:
    day: date
    text: str
    amount: Decimal


def parse_amount(text: str) -> Decimal:
    """An amount as it is written, with a comma or a point before the cents; raises ValueError for anything else."""
    try:
        amount = Decimal(text.strip().replace(",", "."))
    except ValueError:
        raise ValueError(f"not an amount: {text!r}") from None
    if not amount.is_finite():
        raise ValueError(f"not an amount: {text!r}")
    return amount


def read(lines: Iterable[str]) -> list[Booking]:
    """All bookings; raises ImportProblem for the first line that cannot be read. Empty lines are left out."""
    bookings = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        fields = line.rstrip("\n").split(";")
        if len(fields) != 3:
            raise ImportProblem(number, f"{len(fields)} fields")
        day, text, amount = fields
        try:
            bookings.append(Booking(date.fromisoformat(day), text.strip(), parse_amount(amount)))
        except ValueError as error:
            raise ImportProblem(number, str(error)) from error
    return bookings


def balance(bookings: Iterable[Booking]) -> Decimal:
    return sum((booking.amount for booking in bookings), Decimal(0))
