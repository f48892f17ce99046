"""Where settings come from: TOML files with the line of every key, environment variables, the command line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from suture_agent.errors import SettingsError

LARGEST_FILE = 1_000_000
_HEADER = re.compile(r"^\s*\[{1,2}([^\[\]]+)\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=""")
_PART = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


class Value(msgspec.Struct, frozen=True):
    """One value with its origin."""

    key: str
    """Dotted, such as `sandbox.memory_mib`."""
    value: Any
    origin: str
    """`suture.toml:3`, `SUTURE_POLICY`, `--policy`."""


def file_values(path: Path, *, table: tuple[str, ...] = (), shown: str = "") -> list[Value]:
    """The values of a TOML file below `table`; none where the file does not exist. Raises SettingsError with file and line."""
    name = shown or path.name
    text = _read(path, name)
    if text is None:
        return []
    try:
        tree: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        raise SettingsError(f"{name}{':' + line[1] if line else ''}: not valid TOML: {error}", remedy="mend the file") from error
    except RecursionError as error:
        raise SettingsError(f"{name}: nested too deeply", remedy="mend the file") from error
    for part in table:
        inner = tree.get(part)
        if inner is None:
            return []
        if not isinstance(inner, dict):
            raise SettingsError(f"{name}: [{'.'.join(table)}] must be a table", remedy="mend the file")
        tree = cast("dict[str, Any]", inner)
    lines = key_lines(text)
    prefix = "".join(f"{part}." for part in table)
    return [Value(key, value, f"{name}:{_line(lines, prefix + key)}") for key, value in _leaves(tree, "")]


def variable_values(environ: Mapping[str, str]) -> list[Value]:
    """`SUTURE_POLICY`, `SUTURE_JOURNAL`, and `SUTURE_SECTION__KEY` for every other setting."""
    short = {
        "SUTURE_POLICY": "policy.spec",
        "SUTURE_JOURNAL": "journal.level",
        "SUTURE_MODELS": "policy.models",
        "SUTURE_PYTHON": "environment.python",
    }
    found = [Value(short[name], environ[name], name) for name in short if environ.get(name)]
    for name, text in sorted(environ.items()):
        match = re.fullmatch(r"SUTURE_([A-Z]+)__([A-Z_]+)", name)
        if match:
            found.append(Value(f"{match[1]}.{match[2]}".lower(), _plain(text), name))
    return found


def key_lines(text: str) -> dict[str, int]:
    """Dotted key -> one-based line, for the keys of a valid TOML text; keys inside inline tables have the line of their outer key."""
    lines: dict[str, int] = {}
    table: list[str] = []
    closing = ""
    depth = 0
    for number, line in enumerate(text.splitlines(), 1):
        if closing:
            closing = "" if closing in line else closing
            continue
        if depth > 0:
            depth += _brackets(line)
            continue
        header = _HEADER.match(line)
        if header:
            table = _parts(header[1])
            lines.setdefault(".".join(table), number)
            continue
        key = _KEY.match(line)
        if key is None:
            continue
        lines.setdefault(".".join([*table, *_parts(key[1])]), number)
        rest = line[key.end() :]
        opened = next((quote for quote in ('"""', "'''") if rest.count(quote) % 2), "")
        closing = opened
        depth = 0 if opened else max(0, _brackets(rest))
    return lines


def _read(path: Path, name: str) -> str | None:
    try:
        if not path.exists():
            return None
        if path.stat().st_size > LARGEST_FILE:
            raise SettingsError(f"{name} is larger than {LARGEST_FILE} bytes", remedy="a configuration file is not that large: mend it")
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name} is not UTF-8: {error}", remedy="save it as UTF-8") from error
    except OSError as error:
        raise SettingsError(f"{name} cannot be read: {error}", remedy="make it a readable file, or remove it") from error


def _leaves(tree: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Dotted keys down to two levels (`section.key`), three below `checks`."""
    for key, value in tree.items():
        name = f"{prefix}{key}"
        deep = 3 if name.split(".", maxsplit=1)[0] == "checks" else 2
        if isinstance(value, dict) and name.count(".") + 1 < deep:
            yield from _leaves(cast("dict[str, Any]", value), f"{name}.")
        else:
            yield name, value


def _line(lines: Mapping[str, int], key: str) -> int:
    while key:
        if key in lines:
            return lines[key]
        key = key.rpartition(".")[0]
    return 1


def _parts(key: str) -> list[str]:
    return [part.strip("\"'") for part in _PART.findall(key)]


def _brackets(text: str) -> int:
    bare = re.sub(r""""(?:\\.|[^"\\])*"|'[^']*'|#.*""", "", text)
    return sum(bare.count(mark) for mark in "[{") - sum(bare.count(mark) for mark in "]}")


def _plain(text: str) -> Any:  # noqa: ANN401  # a TOML value, or the text itself
    """A variable's text as a TOML value where it is one: numbers, true and false, lists."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
