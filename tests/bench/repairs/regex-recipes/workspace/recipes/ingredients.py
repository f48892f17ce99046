"""Reads lists of ingredients as people type them."""

import re
from fractions import Fraction
from typing import NamedTuple

_LINE = re.compile(
    r"""
    (?P<amount>\d+[ ]\d+/\d+ | \d+/\d+ | \d+(?:\.\d+)?)\s*
    (?:(?P<unit>kg|g|ml|l|tsp|tbsp|cups?)\s*)?
    (?P<name>\S[^,]*)
    (?:,\s*(?P<note>.+))?
    """,
    re.VERBOSE | re.IGNORECASE,
)


class Ingredient(NamedTuple):
    name: str
    amount: Fraction | None = None
    unit: str = ""
    note: str = ""


def parse_amount(text: str) -> Fraction:
    """A number, a fraction, or a number and a fraction."""
    return sum((Fraction(part) for part in text.split()), Fraction())


def parse_line(line: str) -> Ingredient:
    """One ingredient; a line without an amount is a name only."""
    line = line.strip().removeprefix("- ").strip()
    match = _LINE.fullmatch(line)
    if match is None:
        name, _, note = line.partition(",")
        return Ingredient(name.strip(), note=note.strip())
    unit = (match["unit"] or "").lower()
    return Ingredient(
        match["name"].strip(),
        parse_amount(match["amount"]),
        "cup" if unit == "cups" else unit,
        match["note"] or "",
    )


def parse_list(text: str) -> list[Ingredient]:
    """All the ingredients of a text, one a line; empty lines and headings (with a colon at the end) are left out."""
    lines = (line.strip() for line in text.splitlines())
    return [parse_line(line) for line in lines if line and not line.endswith(":")]
