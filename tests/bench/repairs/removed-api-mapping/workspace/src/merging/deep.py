"""Deep merging of configuration trees."""

from __future__ import annotations

import collections
from typing import Any


def is_tree(value: Any) -> bool:
    return isinstance(value, collections.Mapping)


def deep_merge(base: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    """A new tree: values of `extra` win, sub-trees are merged."""
    merged = dict(base)
    for key, value in extra.items():
        if is_tree(value) and is_tree(merged.get(key)):
            merged[key] = deep_merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def flatten_keys(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        if is_tree(value):
            flat.update(flatten_keys(value, name + "."))
        else:
            flat[name] = value
    return flat
