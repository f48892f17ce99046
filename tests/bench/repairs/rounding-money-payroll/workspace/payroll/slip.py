"""The pay slip of one week: each of its lines is hours times rate times factor, rounded once, to whole cents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from payroll.hours import parse, split
from payroll.money import cents, show

OVERTIME = Decimal("1.25")
PENSION = Decimal("0.093")


@dataclass(frozen=True)
class Slip:
    regular: Decimal
    overtime: Decimal

    @property
    def gross(self) -> Decimal:
        return self.regular + self.overtime

    @property
    def pension(self) -> Decimal:
        return cents(self.gross * PENSION)

    @property
    def net(self) -> Decimal:
        return self.gross - self.pension


def make(rate: Decimal, times: Iterable[str]) -> Slip:
    """The slip for an hourly rate and the times of each day."""
    normal, extra = split(parse(text) for text in times)
    overtime_rate = cents(rate * OVERTIME)
    return Slip(cents(normal * rate), cents(extra * overtime_rate))


def lines(slip: Slip) -> list[str]:
    rows = {"Regular": slip.regular, "Overtime": slip.overtime, "Pension": -slip.pension, "Net": slip.net}
    return [f"{name:<10}{show(amount):>12}" for name, amount in rows.items() if amount]
