"""Nested lists and tuples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def flatten(value: Any) -> Iterator[Any]:
    """The leaves of nested sequences from left to right; text is a leaf."""
    if isinstance(value, Sequence):
        for item in value:
            yield from flatten(item)
    else:
        yield value


def depth(value: Any) -> int:
    """How deep the nesting is; a leaf has depth 0, an empty list 1."""
    if not isinstance(value, list | tuple):
        return 0
    return 1 + max((depth(item) for item in value), default=0)
