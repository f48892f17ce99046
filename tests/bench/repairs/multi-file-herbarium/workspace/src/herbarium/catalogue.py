"""The sheets of a herbarium."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


class UnknownSheet(LookupError):
    """No sheet has this number."""


@dataclass(frozen=True)
class Sheet:
    number: str
    species: str
    collector: str | None = None
    cabinet: int = 1


class Catalogue:
    def __init__(self, sheets: Iterable[Sheet] = ()) -> None:
        self._sheets = {sheet.number: sheet for sheet in sheets}

    def __iter__(self) -> Iterator[Sheet]:
        return iter(self._sheets.values())

    def find(self, number: str) -> Sheet:
        """The sheet with a number; raises UnknownSheet."""
        try:
            return self._sheets[number]
        except KeyError:
            raise UnknownSheet(f"no sheet {number}") from None

    def of_species(self, species: str) -> list[Sheet]:
        return [sheet for sheet in self if sheet.species == species]
