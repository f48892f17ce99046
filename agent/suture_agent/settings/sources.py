"""Where settings come from: TOML files with the line of every key, environment variables, the command line.

A workspace's file is untrusted: it may be of any size, any kind and any content, and costs a message at most.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import msgspec

from suture_agent.errors import SettingsError
from suture_agent.settings.lines import Path as KeyPath
from suture_agent.settings.lines import key_lines
from suture_sandbox.errors import UnreadableFile
from suture_sandbox.files import read_plain
from suture_sandbox.toml import BadToml, parse

LARGEST_FILE = 512 * 1024
"""Bytes of a configuration file."""
LONGEST_SHOWN = 80
"""Characters of a value or a key in a message."""

VARIABLES: Mapping[str, KeyPath] = {
    "SUTURE_POLICY": ("policy", "spec"),
    "SUTURE_JOURNAL": ("journal", "level"),
    "SUTURE_MODELS": ("policy", "models"),
    "SUTURE_PYTHON": ("environment", "python"),
}
"""Short names; every setting also has its long one, `SUTURE_SECTION__KEY`."""

OPTIONS: Mapping[str, str] = {
    "policy.spec": "--policy",
    "harness.preset": "--harness",
    "harness.pipeline": "--pipeline",
    "harness.seconds": "--budget",
    "sandbox.backend": "--backend",
}
"""Dotted key -> the option of the command line that sets it."""


class Value(msgspec.Struct, frozen=True, dict=True):
    """One value with its origin."""

    path: KeyPath
    """Such as `("sandbox", "memory_mib")`."""
    value: Any
    origin: str
    """`suture.toml:3`, `SUTURE_POLICY`, `--policy`."""
    is_text: bool = False
    """Whether the value is a variable's text, to be read as what the setting is."""

    @cached_property
    def key(self) -> str:
        """The dotted key."""
        return ".".join(self.path)


def file_values(path: Path, *, table: KeyPath = (), shown_as: str = "") -> list[Value]:
    """The values of a TOML file below `table`; none where the file does not exist. Raises SettingsError with file and line."""
    name = shown_as or path.name
    text = _read(path, name)
    if text is None or not all(part in text for part in table):
        return []
    tree = _parsed(text, name)
    for part in table:
        inner = tree.get(part, {})
        if not isinstance(inner, dict):
            raise SettingsError(f"{name}: [{'.'.join(table)}] must be a table", remedy="mend the file")
        tree = cast("dict[str, Any]", inner)
    lines = key_lines(text)
    return [Value(path, value, f"{name}:{_line(lines, (*table, *path))}") for path, value in _leaves(tree, ())]


def variable_values(environ: Mapping[str, str]) -> list[Value]:
    """`SUTURE_POLICY` and the other short names, and `SUTURE_SECTION__KEY`, which go before them. An empty variable says nothing."""
    short = [Value(VARIABLES[name], environ[name], name, is_text=True) for name in VARIABLES if environ.get(name)]
    long = [
        Value(tuple(match[1].lower().split("__")), text, name, is_text=True)
        for name, text in sorted(environ.items())
        if text and (match := re.fullmatch(r"SUTURE_([A-Z][A-Z0-9_]*?__[A-Z0-9_]+)", name))
    ]
    return [*short, *long]


def option_values(overrides: Mapping[str, object]) -> list[Value]:
    """What the command line says, by dotted key."""
    return [Value(tuple(key.split(".")), value, OPTIONS.get(key, f"--{key}")) for key, value in overrides.items()]


def shown(value: object) -> str:
    """A value as it may stand in a message: as in TOML, short, and without control characters."""
    if isinstance(value, bool):
        return str(value).lower()
    try:
        text = value if isinstance(value, str) else repr(value)
    except (ValueError, RecursionError):  # an integer of thousands of digits, lists in lists in lists
        return "(too long to be shown)"
    text = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."
    return repr(text) if isinstance(value, str) else text


def _parsed(text: str, name: str) -> dict[str, Any]:
    try:
        return parse(text)
    except BadToml as error:
        raise SettingsError(error.within(name), remedy="mend the file") from error


def _read(path: Path, name: str) -> str | None:
    try:
        content = read_plain(path, most=LARGEST_FILE, name=name)
    except UnreadableFile as error:
        raise SettingsError(str(error), remedy=error.remedy) from error
    if content is None:
        return None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(f"{name}:{line}: not UTF-8 ({error.reason})", remedy="save it as UTF-8") from error


def _leaves(tree: Mapping[str, Any], prefix: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Keys down to two levels (`section.key`), three below `checks`; a table with nothing in it counts as a value."""
    for key, value in tree.items():
        path = (*prefix, key)
        if value and isinstance(value, dict) and len(path) < (3 if path[0] == "checks" else 2):
            yield from _leaves(cast("dict[str, Any]", value), path)
        else:
            yield path, value


def _line(lines: Mapping[KeyPath, int], path: KeyPath) -> int:
    """The line of a key, or of the nearest table around it."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)
