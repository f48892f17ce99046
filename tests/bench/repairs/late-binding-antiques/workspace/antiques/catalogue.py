from __future__ import annotations

from collections.abc import Sequence

from antiques.items import Item
from antiques.search import between, matching


def page(items: Sequence[Item], kind: str, period: str) -> list[str]:
    """The lines of a catalogue's page, the cheapest item first; sold items are not shown."""
    shown = matching(items, kind=kind, period=period, sold=False)
    return [f"{item.name}: {item.price}" for item in between(shown, 0, 1_000_000)]


def turnover(items: Sequence[Item]) -> int:
    return sum(item.price for item in matching(items, sold=True))
