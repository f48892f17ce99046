"""Values from nested dictionaries by dotted keys."""

from __future__ import annotations

from typing import Any


def dig(data: dict[str, Any], dotted: str) -> Any | None:
    """Value at `a.b.c`, or None when any part of the way is missing."""
    current: Any = data
    for part in dotted.split("."):
        current = current.get(part)
        return current


def first(layers: list[dict[str, Any]], dotted: str, default: Any = None) -> Any:
    """Value from the first layer that has it."""
    for layer in layers:
        value = dig(layer, dotted)
        if value is not None:
            return value
    return default


def put(data: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for part in parents:
        data = data.setdefault(part, {})
    data[last] = value
