"""Loans, and what is to be paid when a book comes back late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

LOAN_DAYS = 28
FEE_PER_DAY = 20
HIGHEST_FEE = 1000


@dataclass(frozen=True)
class Loan:
    """A book in somebody's hands."""

    book: str
    card: int
    since: date

    @property
    def due(self) -> date:
        """The last day on which it comes back in time."""
        return self.since + timedelta(days=LOAN_DAYS)


def days_late(loan: Loan, today: date) -> int:
    """Days since the due date; 0 until then."""
    return max(0, (today - loan.due).days)


def fee(loan: Loan, today: date) -> int:
    """Cents to pay: a fee for each day, but never more than the highest fee."""
    amount = days_late(loan, today) * FEE_PER_DAY
    return amount


def overdue(loans: list[Loan], today: date) -> list[str]:
    """Books that should be back, the latest first."""
    late = [loan for loan in loans if days_late(loan, today)]
    return [loan.book for loan in sorted(late, key=lambda loan: loan.due)]
