from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Line:
    text: str
    quantity: int
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.unit_price


@dataclass
class Invoice:
    customer: str
    year: int
    sequence: int
    lines: list[Line] = field(default_factory=list)

    @property
    def number(self) -> str:
        """Invoice number such as 2024-00017."""
        return self.year + "-" + str(self.sequence).zfill(5)

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))
