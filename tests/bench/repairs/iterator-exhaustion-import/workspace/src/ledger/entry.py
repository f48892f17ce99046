from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    account: str
    cents: int


def parse_entry(line: str) -> Entry:
    account, _, amount = line.rpartition(" ")
    return Entry(account.strip(), round(float(amount) * 100))
