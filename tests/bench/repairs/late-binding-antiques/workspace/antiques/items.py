"""The stock of an antiques dealer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    name: str
    kind: str
    period: str
    price: int
    sold: bool = False


def parse(line: str) -> Item:
    """An item from a line such as `Oak chest | furniture | baroque | 900`; a last part `sold` may follow."""
    name, kind, period, price, *rest = (part.strip() for part in line.split("|"))
    return Item(name, kind, period, int(price), rest == ["sold"])
