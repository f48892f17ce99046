from __future__ import annotations

from collections.abc import Iterable, Iterator

from antiques.items import Item

FIELDS = ("kind", "period", "sold")


def matching(items: Iterable[Item], **criteria: object) -> Iterator[Item]:
    """Items of which every given field has the given value, such as `kind="clock", period="baroque"`."""
    unknown = criteria.keys() - set(FIELDS)
    if unknown:
        raise TypeError("cannot search by " + ", ".join(sorted(unknown)))
    found = iter(items)
    for field, value in criteria.items():
        found = (item for item in found if getattr(item, field) == value)
    return found


def between(items: Iterable[Item], lowest: int, highest: int) -> list[Item]:
    """Items within a range of prices, the cheapest first."""
    return sorted((item for item in items if lowest <= item.price <= highest), key=lambda item: item.price)


def words(items: Iterable[Item], text: str) -> list[Item]:
    """Items with all the words of a text in their names, in any case."""
    wanted = text.lower().split()
    return [item for item in items if all(word in item.name.lower().split() for word in wanted)]
