"""Find figures in running English text."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\w)|(?<![\w.,])\d+(?:\.\d+)?(?!\w)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s?(?:%|percent\b|per cent\b)")
_YEAR = re.compile(r"\b(19|20)\d{2}\b")


def numbers(text: str) -> list[float]:
    """All numbers of a text, such as 7, 3.5 and 1,250,000; those inside of words are left out."""
    return [float(found.replace(",", "")) for found in _NUMBER.findall(text)]


def percentages(text: str) -> list[float]:
    return [float(found) for found in _PERCENT.findall(text)]


def years(text: str) -> list[int]:
    """Years of the last two centuries, each once, in the order of the text."""
    return list(dict.fromkeys(int(found) for found in _YEAR.findall(text)))


def largest(text: str) -> float | None:
    return max(numbers(text), default=None)
