"""Orders, grouped and summed up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Order:
    number: int
    customer: str
    cents: int


def by_customer(orders: Iterable[Order]) -> dict[str, list]:
    """The orders of each customer, in the order in which they came."""
    groups: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        groups[order.customer].append(order)
    return dict(groups)


def totals(orders: Iterable[Order]) -> dict[str, int]:
    """What each customer has spent."""
    spent: Counter[str] = Counter()
    for order in orders:
        spent[order.customer] += order.cents
    return dict(spent)


def best(orders: Iterable[Order], number: int = 3) -> list[str]:
    """The customers who spent most; equal ones by name."""
    return sorted(spent := totals(orders), key=lambda name: (-spent[name], name))[:number]
