"""Cut sequences into numbered pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of results. Pages are numbered from 1."""

    number: int
    total: int
    items: tuple[T, ...]

    @property
    def has_next(self) -> bool:
        return self.number < self.total

    @property
    def has_previous(self) -> bool:
        return self.number > 1


def page_count(length: int, size: int) -> int:
    """How many pages of `size` items are needed for `length` items; an empty list still has one page."""
    if size < 1:
        raise ValueError("size must be positive")
    if length == 0:
        return 1
    return length // size + 1


def paginate(items: Sequence[T], number: int, size: int = 10) -> Page[T]:
    """Page `number` of the items; raises IndexError beyond the last page."""
    total = page_count(len(items), size)
    if not 1 <= number <= total:
        raise IndexError(f"page {number} of {total}")
    start = (number - 1) * size
    return Page(number, total, tuple(items[start : start + size]))
