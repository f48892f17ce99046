"""The settings as a JSON schema: for editors that complete and check suture.toml, and for whoever writes a client's options.

It says what a value may be, who may set it, and by which rule of `rules` a workspace may.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from typing import Any, cast, get_type_hints

import msgspec

from suture_agent.settings import records
from suture_agent.settings.convert import CHECK_NAME
from suture_agent.settings.records import CheckSettings, Settings
from suture_agent.settings.rules import rule_of

Schema = dict[str, Any]


def schema() -> Schema:
    """The schema (draft 2020-12) of a suture.toml, which is also that of `[tool.suture]` and of the user's own file.

    `x-scope` says who may set a key: the `user` only, or a `workspace` too. `x-rule` says what a workspace's value may do to the user's:
    `free` anything, `user` nothing, `lower`, `higher`, `budget`, `add`, `among` and `unset` only that (`rules.Rule`).
    """
    said = _docstrings()
    sections = {
        name: _checks(said) if name == "checks" else _table(kind, f"{name}.", said) for name, kind in get_type_hints(Settings).items()
    }
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "suture.toml"}
    return {**head, "type": "object", "additionalProperties": False, "properties": sections}


def _checks(said: Mapping[str, Mapping[str, str]]) -> Schema:
    return {
        "description": "Checks by name.",
        "type": "object",
        "propertyNames": {"pattern": f"^{CHECK_NAME.pattern}$"},
        "additionalProperties": _table(CheckSettings, "checks.", said),
    }


def _table(kind: type[msgspec.Struct], prefix: str, said: Mapping[str, Mapping[str, str]]) -> Schema:
    hints = get_type_hints(kind, include_extras=True)
    own = said[kind.__name__]
    fields = {
        field.name: {
            "description": own[field.name],
            **_values(hints[field.name]),
            **({} if field.default is None else {"default": _plain(field.default)}),
            "x-scope": "user" if rule_of(f"{prefix}{field.name}") == "user" else "workspace",
            "x-rule": rule_of(f"{prefix}{field.name}"),
        }
        for field in msgspec.structs.fields(kind)
    }
    return {"description": own[""], "type": "object", "additionalProperties": False, "properties": fields}


def _values(hint: Any) -> Schema:  # noqa: ANN401  # a type
    """What a value may be; TOML has no null."""
    whole: Schema = msgspec.json.schema(hint)
    kinds: list[Schema] = [part for part in whole.get("anyOf", [whole]) if part.get("type") != "null"]
    only = kinds[0]
    if "enum" in only:
        return {"type": "string", "enum": [each for each in only["enum"] if each is not None]}
    return only


def _plain(default: object) -> object:
    """As JSON has it."""
    return list(cast("tuple[str, ...]", default)) if isinstance(default, tuple) else default


def _docstrings() -> dict[str, dict[str, str]]:
    """Of every record: its own docstring under the empty name, and that below each field."""
    classes = [node for node in ast.parse(inspect.getsource(records)).body if isinstance(node, ast.ClassDef)]
    return {node.name: {"": ast.get_docstring(node) or "", **_of_fields(node)} for node in classes}


def _of_fields(node: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            found[field.target.id] = inspect.cleandoc(str(ast.literal_eval(below.value)))
    return found
