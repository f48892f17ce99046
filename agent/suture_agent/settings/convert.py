"""One value from any source as what its setting is, or a message that says what is wrong with its key or its type."""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, cast, get_type_hints

import msgspec

from suture_agent.errors import SettingsError
from suture_agent.settings.records import CheckSettings, Settings
from suture_agent.settings.sources import LONGEST_SHOWN, Value, shown

CHECK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
"""Names of checks stand in dotted keys, on command lines and in file names."""


def converted(value: Value) -> Any:  # noqa: ANN401  # of the setting's type
    """The value as its setting's type. Raises SettingsError."""
    expected = _type_of(value)
    said = ""
    for candidate in _readings(value):
        try:
            return _without_nul(msgspec.convert(candidate, expected, strict=not value.is_text))
        except msgspec.ValidationError as error:
            said = said or str(error)
    raise SettingsError(f"{value.origin}: {value.key} = {shown(value.value)}: {_sentence(said)}", remedy=_remedy(expected))


def is_empty_table(value: Value) -> bool:
    """Whether this is a table that suture knows, with nothing in it."""
    section, *names = value.path
    if value.value != {} or section not in _sections():
        return False
    return len(names) == 0 or (section == "checks" and len(names) == 1)


def _readings(value: Value) -> Iterator[Any]:
    """The value; a variable's text as it is, then as TOML, which is how a list is written."""
    yield value.value
    if value.is_text and value.value.startswith(("[", '"', "'")) and "\n" not in value.value:
        try:
            yield tomllib.loads(f"value = {value.value}")["value"]
        except (ValueError, RecursionError):
            return


def _without_nul(found: Any) -> Any:  # noqa: ANN401  # of the setting's type
    """No path, command or address holds a NUL, and what takes one may raise or cut it off there."""
    value: object = found
    texts = cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)
    if any(isinstance(text, str) and "\0" in text for text in texts):
        raise msgspec.ValidationError("Expected text without NUL characters")
    return found


def _type_of(value: Value) -> Any:  # noqa: ANN401  # a type
    section = value.path[0]
    if section not in _sections():
        raise _unknown(value, section, _sections())
    if section == "checks":
        return _in_table(value, ("checks", "NAME"), _fields(CheckSettings))
    return _in_table(value, (section,), _fields(_sections()[section]))


def _in_table(value: Value, table: tuple[str, ...], kinds: Mapping[str, Any]) -> Any:  # noqa: ANN401  # a type
    path = value.path
    shape = f"write [{'.'.join(table)}] with KEY = VALUE below it"
    if len(path) <= len(table):
        raise SettingsError(f"{value.origin}: {shown(value.key)} must be a table", remedy=shape)
    if len(table) == 2 and not CHECK_NAME.fullmatch(path[1]):
        raise SettingsError(f"{value.origin}: {shown(path[1])} cannot name a check", remedy="use letters, digits, - and _, at most 40")
    if len(path) > len(table) + 1 or path[-1] not in kinds:
        raise _unknown(value, path[len(table)], kinds)
    return kinds[path[-1]]


def _unknown(value: Value, word: str, known: Mapping[str, object]) -> SettingsError:
    return SettingsError(f"{value.origin}: there is no setting {shown(value.key)}", remedy=_nearest(word[:LONGEST_SHOWN], known))


def _nearest(word: str, known: Mapping[str, object]) -> str:
    """The nearest valid name: in the same table, else in another one, else all that there are."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    elsewhere = difflib.get_close_matches(word, _everywhere(), n=1, cutoff=0.75)
    return f"did you mean {_everywhere()[elsewhere[0]]!r}?" if elsewhere else f"known here: {', '.join(known)}"


@functools.cache
def _sections() -> Mapping[str, Any]:
    return get_type_hints(Settings)


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> Mapping[str, Any]:
    return get_type_hints(kind, include_extras=True)


@functools.cache
def _everywhere() -> Mapping[str, str]:
    """Key -> dotted key, of all sections."""
    return {key: f"{section}.{key}" for section, kind in _sections().items() if section != "checks" for key in _fields(kind)}


def _sentence(said: str) -> str:
    """What msgspec says, without the path, which the message names already."""
    text = said.partition(" - at ")[0]
    return f"{text[:1].lower()}{text[1:]}".replace("`", "").replace(" | null", "")


def _remedy(expected: Any) -> str:  # noqa: ANN401  # a type
    """What a value may be."""
    schema = msgspec.json.schema(expected)
    kinds: list[dict[str, Any]] = [part for part in schema.get("anyOf", [schema]) if part.get("type") != "null"]
    options = [str(option) for part in kinds for option in part.get("enum", ()) if option is not None]
    if options:
        return f"use one of {', '.join(options)}"
    kind = kinds[0]
    if "minimum" in kind:
        return f"use a whole number from {kind['minimum']} to {kind['maximum']}"
    return {"boolean": "use true or false", "string": "use a text in quotes", "array": "use a list of texts"}[kind["type"]]
