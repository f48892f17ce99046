"""Labels to be printed for sheets."""

from __future__ import annotations

from collections.abc import Iterable

from herbarium.catalogue import Catalogue


def label(catalogue: Catalogue, number: str) -> str:
    """What is printed for one number; a number without a sheet gets a blank label."""
    sheet = catalogue.find(number)
    if sheet is None:
        return f"{number}: ________"
    collected = f", leg. {sheet.collector}" if sheet.collector else ""
    return f"{number}: {sheet.species}{collected}"


def labels(catalogue: Catalogue, numbers: Iterable[str]) -> str:
    return "\n".join(label(catalogue, number) for number in numbers)
