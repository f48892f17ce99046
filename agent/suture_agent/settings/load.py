"""Putting the sources together: validation of keys and types, precedence, and what a workspace may not weaken."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast, get_type_hints

import msgspec

from suture_agent.errors import SettingsError
from suture_agent.settings.records import CheckSettings, Settings
from suture_agent.settings.rules import RULES, WHY
from suture_agent.settings.sources import Value, file_values, variable_values


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force."""

    settings: Settings
    origins: Mapping[str, str]
    """Dotted key -> where its value came from: `default`, `suture.toml:3`, `SUTURE_POLICY`, `--policy`."""


def load(root: Path, *, user_file: Path | None, environ: Mapping[str, str], overrides: Mapping[str, object] | None = None) -> Loaded:
    """Read all sources. Raises SettingsError that names file, line, key and the nearest valid name, or who may change it."""
    own = file_values(user_file, shown=str(user_file)) if user_file is not None else []
    given = [Value(key, value, f"--{key.rsplit('.', 1)[-1]}") for key, value in (overrides or {}).items()]
    user = _checked([*own, *variable_values(environ), *given])
    workspace = _checked(workspace_values(root))
    base = _defaults()
    origins = dict.fromkeys(base, "default")
    for value in workspace.values():
        _refuse_weakening(value, user.get(value.key), base)
    for key, value in {**workspace, **user}.items():
        base[key], origins[key] = value.value, value.origin
    for key in workspace.keys() & user.keys():
        base[key], origins[key] = _both(workspace[key], user[key])
    return Loaded(settings=_assembled(base), origins=origins)


def workspace_values(root: Path) -> list[Value]:
    """What the workspace says, in one of its two places."""
    own, shared = root / "suture.toml", root / "pyproject.toml"
    for path in (own, shared):
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            raise SettingsError(f"{path.name} is a link out of the workspace", remedy="replace it by a file")
    values = file_values(own)
    try:
        others = file_values(shared, table=("tool", "suture"))
    except SettingsError:
        if values:
            return values
        if "tool.suture" not in shared.read_text("utf-8", "replace"):
            return []  # broken for other tools too, and none of suture's business
        raise
    if values and others:
        raise SettingsError(
            f"both suture.toml and [tool.suture] in pyproject.toml configure suture ({values[0].origin} and {others[0].origin})",
            remedy="keep one of them",
        )
    return values or others


def _checked(values: list[Value]) -> dict[str, Value]:
    """The last value of every key, keys and types checked."""
    checked: dict[str, Value] = {}
    for value in values:
        checked[value.key] = Value(value.key, _converted(value), value.origin)
    return checked


def _converted(value: Value) -> Any:  # noqa: ANN401  # of the setting's type
    expected = _type_of(value)
    try:
        converted = msgspec.convert(value.value, expected, strict=not value.origin.startswith("SUTURE_"))
    except msgspec.ValidationError as error:
        said = str(error).split(" - at ")[0]
        raise SettingsError(f"{value.origin}: {value.key} = {value.value!r}: {said}", remedy="give it a value of that kind") from error
    if isinstance(converted, int) and not isinstance(converted, bool) and converted < (0 if value.key.startswith("harness.") else 1):
        raise SettingsError(f"{value.origin}: {value.key} = {converted}: must be a positive number", remedy="raise it")
    return converted


def _type_of(value: Value) -> Any:  # noqa: ANN401  # a type
    parts = value.key.split(".")
    if parts[0] == "checks" and len(parts) == 3:
        kinds = get_type_hints(CheckSettings)
        if parts[2] in kinds:
            return kinds[parts[2]]
        raise _unknown(value, parts[2], kinds)
    sections = get_type_hints(Settings)
    if parts[0] not in sections:
        raise _unknown(value, parts[0], sections)
    if parts[0] == "checks" or len(parts) != 2:
        raise SettingsError(f"{value.origin}: {value.key} must be a table", remedy=f"write [{parts[0]}.NAME] or {parts[0]}.KEY = ...")
    kinds = get_type_hints(sections[parts[0]])
    if parts[1] not in kinds:
        raise _unknown(value, parts[1], kinds)
    return kinds[parts[1]]


def _unknown(value: Value, word: str, known: Mapping[str, object]) -> SettingsError:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.4)
    remedy = f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"
    return SettingsError(f"{value.origin}: there is no setting {value.key!r}", remedy=remedy)


def _refuse_weakening(value: Value, user: Value | None, defaults: Mapping[str, Any]) -> None:
    """Raise where a workspace's value goes against the rule of its key."""
    rule = RULES["checks" if value.key.startswith("checks.") else value.key]
    limit = user.value if user is not None else defaults.get(value.key)
    weak = (
        (rule == "user" and value.value != limit)
        or (rule == "lower" and value.value > limit)
        or (rule == "higher" and value.value < limit)
        or (rule == "unset" and value.value and not limit)
    )
    if weak:
        who = user.origin if user is not None else "the default"
        raise SettingsError(
            f"{value.origin}: {value.key} = {value.value!r}: {WHY[rule]}; {who} says {limit!r}",
            remedy="take it out of the workspace's configuration, or set it in your own file (suture doctor shows where that is)",
        )


def _both(workspace: Value, user: Value) -> tuple[Any, str]:
    """The value in force where both say something: the stricter one for rules that restrict, else the user's."""
    rule = RULES["checks" if workspace.key.startswith("checks.") else workspace.key]
    if rule == "add":
        return tuple(dict.fromkeys((*user.value, *workspace.value))), f"{user.origin} and {workspace.origin}"
    stricter = (rule == "lower" and workspace.value < user.value) or (rule == "higher" and workspace.value > user.value)
    stricter = stricter or (rule == "unset" and not workspace.value)
    chosen = workspace if stricter else user
    return chosen.value, chosen.origin


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
