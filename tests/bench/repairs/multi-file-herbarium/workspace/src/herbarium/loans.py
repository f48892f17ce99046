"""Sheets that are lent to other collections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from herbarium.catalogue import Catalogue, Sheet


@dataclass
class Loan:
    borrower: str
    sheets: list[Sheet] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    """Numbers that were asked for and are not in the catalogue."""


def prepare(catalogue: Catalogue, borrower: str, numbers: Iterable[str]) -> Loan:
    """A loan of all sheets that there are; the borrower is told about the others."""
    loan = Loan(borrower)
    for number in numbers:
        sheet = catalogue.find(number)
        if sheet is None:
            loan.missing.append(number)
        else:
            loan.sheets.append(sheet)
    return loan


def walk(loan: Loan) -> list[tuple[int, int]]:
    """Cabinet and number of sheets to take from it, in the order of the cabinets."""
    return sorted(Counter(sheet.cabinet for sheet in loan.sheets).items())
