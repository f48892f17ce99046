from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger.entry import Entry, parse_entry


def read(lines: Iterable[str]) -> Iterator[Entry]:
    """Entries of the lines; blank lines and comments are skipped."""
    for line in lines:
        if line.strip() and not line.startswith("#"):
            yield parse_entry(line)


class Book:
    def __init__(self) -> None:
        self.balances: dict[str, int] = {}

    def post(self, entries: Iterable[Entry]) -> None:
        """Book a transaction; its entries must add up to zero."""
        if sum(entry.cents for entry in entries) != 0:
            raise ValueError("transaction is not balanced")
        for entry in entries:
            self.balances[entry.account] = self.balances.get(entry.account, 0) + entry.cents

    def balance(self, account: str) -> int:
        return self.balances.get(account, 0)
