"""Canonical JSON, identities and their comparison (the project's DESIGN, "Identity").

An identity is the SHA-256 of canonical JSON (sorted keys, UTF-8, no insignificant white space, no floats) over named fields. The fields
are always kept beside the hash, because two identities are compared field by field: `env verify`, `env diff`, dataset refusal and the
attribution table all use `differences`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec


class Difference(msgspec.Struct, frozen=True):
    """One place where two sets of named fields differ."""

    field: str
    """Dotted path, such as `dependencies.pytest.version`; a name that itself has a dot, a quote or nothing in it stands in quotes."""
    before: str | None
    """The value on the left, as JSON; None where the left has no such field."""
    after: str | None
    """The value on the right, as JSON; None where the right has no such field."""


def canonical(value: Any) -> bytes:  # noqa: ANN401  # any tree of builtins and Structs
    """Render `value` as canonical JSON; raises TypeError on a float, whose text form differs between writers."""
    builtins = msgspec.to_builtins(value)
    _refuse_floats(builtins, "$")
    return msgspec.json.encode(builtins, order="deterministic")


def identity_of(value: Any) -> str:  # noqa: ANN401  # any tree of builtins and Structs
    """SHA-256 (64 hexadecimal digits) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value)).hexdigest()


def differences(before: Any, after: Any) -> tuple[Difference, ...]:  # noqa: ANN401  # any tree of builtins and Structs
    """All leaves in which two trees of named fields differ, sorted by field; a mapping that was empty is no leaf of its own."""
    left = dict(_leaves(msgspec.to_builtins(before), ()))
    right = dict(_leaves(msgspec.to_builtins(after), ()))
    above = {path[:length] for path in (*left, *right) for length in range(len(path))}
    grown = {path for path in above if "{}" in (left.get(path), right.get(path))}
    found = (
        Difference(_dotted(path), left.get(path), right.get(path))
        for path in (left.keys() | right.keys()) - grown
        if left.get(path) != right.get(path)
    )
    return tuple(sorted(found, key=lambda each: each.field))


def _dotted(path: tuple[str, ...]) -> str:
    return ".".join(name if name and not set(name) & {".", '"'} else msgspec.json.encode(name).decode() for name in path)


def _leaves(tree: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(tree, Mapping) and tree:
        for key, value in tree.items():  # pyright: ignore[reportUnknownVariableType]  # JSON object of unknown shape
            yield from _leaves(value, (*path, str(key)))  # pyright: ignore[reportUnknownArgumentType]
    else:
        yield path, canonical(tree).decode()


def _refuse_floats(tree: object, path: str) -> None:
    if isinstance(tree, float):
        raise TypeError(f"{path}: a float cannot be part of an identity")
    if isinstance(tree, Mapping):
        for key, value in tree.items():  # pyright: ignore[reportUnknownVariableType]  # JSON object of unknown shape
            _refuse_floats(key, path)  # pyright: ignore[reportUnknownArgumentType]
            _refuse_floats(value, f"{path}.{key}")  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(tree, list | tuple):
        for index, value in enumerate(tree):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
            _refuse_floats(value, f"{path}[{index}]")  # pyright: ignore[reportUnknownArgumentType]
