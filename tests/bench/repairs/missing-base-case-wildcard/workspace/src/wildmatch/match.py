"""Wildcards for routing keys: `?` is one character, `*` any number of them, also none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text matches the pattern."""
    head, rest = pattern[0], pattern[1:]
    if head == "*":
        return any(matches(rest, text[start:]) for start in range(len(text) + 1))
    if not text:
        return False
    return head in ("?", text[0]) and matches(rest, text[1:])


def select(pattern: str, texts: Iterable[str]) -> list[str]:
    return [text for text in texts if matches(pattern, text)]


def first_match(routes: Mapping[str, str], key: str, default: str = "") -> str:
    """The target of the first pattern that matches the key."""
    for pattern, target in routes.items():
        if matches(pattern, key):
            return target
    return default
