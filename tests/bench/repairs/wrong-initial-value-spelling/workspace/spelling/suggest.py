"""Suggestions for words that were mistyped."""

from __future__ import annotations

from collections.abc import Iterable


def distance(first: str, second: str) -> int:
    """How many letters must be put in, taken out or changed to make one word of the other."""
    above = [0] * (len(second) + 1)
    for row, letter in enumerate(first, start=1):
        current = [row]
        for column, other in enumerate(second, start=1):
            put_in = current[column - 1] + 1
            take_out = above[column] + 1
            change = above[column - 1] + (letter != other)
            current.append(min(put_in, take_out, change))
        above = current
    return above[-1]


def suggest(word: str, known: Iterable[str], most: int = 2) -> list[str]:
    """Known words that differ from a word in few letters, the nearest first; a known word suggests only itself."""
    word = word.casefold()
    nearby = [(distance(word, other.casefold()), other) for other in known]
    if any(far == 0 for far, _ in nearby):
        return [other for far, other in nearby if far == 0]
    return [other for far, other in sorted(nearby) if far <= most]
