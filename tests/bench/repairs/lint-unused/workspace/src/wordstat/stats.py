"""Numbers about a text."""

from __future__ import annotations

import re
import string
from collections import Counter

SENTENCE_END = re.compile(r"[.!?]+\s*")


def sentences(text: str) -> list[str]:
    return [part for part in SENTENCE_END.split(text) if part.strip()]


def average_length(text: str) -> float:
    """Average number of words in a sentence."""
    parts = sentences(text)
    if not parts:
        return 0.0
    longest = max(len(part) for part in parts)
    return sum(len(part.split()) for part in parts) / len(parts)


def letters(text: str) -> Counter[str]:
    return Counter(char for char in text.lower() if char.isalpha())
