"""Putting the sources together: keys, types, precedence, and what a workspace may not weaken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_type_hints

import msgspec

from suture_agent.errors import SettingsError
from suture_agent.settings.convert import converted, is_empty_table
from suture_agent.settings.records import Settings
from suture_agent.settings.rules import HELD, MOST, refuse_weakening, stricter
from suture_agent.settings.sources import Value, file_values, option_values, variable_values


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force."""

    settings: Settings
    origins: Mapping[str, str]
    """Dotted key -> where its value came from: `default`, `suture.toml:3`, `SUTURE_POLICY`, `--policy`."""


def load(root: Path, *, user_file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object] | None = None) -> Loaded:
    """Read all sources. Raises SettingsError that names file, line, key and the nearest valid name, or who may change it.

    What a variable or an option says is the last word: a workspace's value for the same key is not looked at further.
    """
    file = _checked(file_values(user_file, shown_as=_shown_path(user_file, environ)) if user_file is not None else [])
    last = _checked([*variable_values(environ), *option_values(overrides or {})])
    workspace = {key: value for key, value in _checked(workspace_values(root)).items() if key not in last}
    defaults = _defaults()
    for value in workspace.values():
        refuse_weakening(value, {**file, **last}, defaults)
    values, origins = dict(defaults), dict.fromkeys(defaults, "default")
    for key, value in {**workspace, **file, **last}.items():
        values[key], origins[key] = value.value, value.origin
    for key in workspace.keys() & file.keys():
        values[key], origins[key] = stricter(workspace[key], file[key])
    for (key, choice), budgets in HELD.items():
        if key in workspace and origins[key] == workspace[key].origin and values[key] == choice:
            for budget in budgets:
                if not values[budget]:
                    values[budget], origins[budget] = MOST[budget], f"{origins[key]}, as far as a workspace may"
    return Loaded(settings=_assembled(values), origins=origins)


def workspace_values(root: Path) -> list[Value]:
    """What the workspace says, in one of its two places."""
    own, shared = root / "suture.toml", root / "pyproject.toml"
    for path in (own, shared):
        _refuse_outside(path, root)
    values = file_values(own)
    try:
        others = file_values(shared, table=("tool", "suture"))
    except SettingsError:
        if values:
            return values  # broken for other tools too, and none of suture's business
        raise
    if values and others:
        raise SettingsError(
            f"both suture.toml and [tool.suture] in pyproject.toml configure suture ({values[0].origin} and {others[0].origin})",
            remedy="keep one of them",
        )
    return values or others


def _refuse_outside(path: Path, root: Path) -> None:
    try:
        inside = not path.is_symlink() or path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a loop of links
        inside = False
    if not inside:
        raise SettingsError(f"{path.name} is a link out of the workspace", remedy="replace it by a file")


def _checked(values: list[Value]) -> dict[str, Value]:
    """The last value of every key, keys and types checked."""
    given = (value for value in values if not is_empty_table(value))
    return {value.key: msgspec.structs.replace(value, value=converted(value), is_text=False) for value in given}


def _shown_path(path: Path | None, environ: Mapping[str, str]) -> str:
    """The user's file as they know it, with `~`."""
    text, home = str(path), environ.get("HOME", "").rstrip("/")
    return f"~{text[len(home) :]}" if home and text.startswith(f"{home}/") else text


def _defaults() -> dict[str, Any]:
    """Dotted key -> default."""
    settings = Settings()
    return {
        f"{section}.{field.name}": getattr(getattr(settings, section), field.name)
        for section, kind in get_type_hints(Settings).items()
        if section != "checks"
        for field in msgspec.structs.fields(kind)
    }


def _assembled(values: Mapping[str, Any]) -> Settings:
    tree: dict[str, Any] = {}
    for key, value in values.items():
        *tables, last = key.split(".")
        place = tree
        for table in tables:
            place = cast("dict[str, Any]", place.setdefault(table, {}))
        place[last] = value
    return msgspec.convert(tree, Settings)
