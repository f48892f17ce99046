"""The schema says of every setting what it is, what it may be, what it is by default and who may set it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from suture_agent.settings import RULES, CheckSettings, Settings, schema

ROOT = Path(__file__).parents[3]


def leaves() -> dict[str, dict[str, Any]]:
    """Dotted key -> its schema; those of a check under `checks`."""
    tables = {name: table.get("additionalProperties") or table for name, table in schema()["properties"].items()}
    return {f"{section}.{name}": leaf for section, table in tables.items() for name, leaf in table["properties"].items()}


def test_the_written_schema_is_this_one():
    """After a change: suture doctor --schema > docs/settings.schema.json."""
    assert msgspec.json.decode((ROOT / "docs" / "settings.schema.json").read_bytes()) == schema()


def test_every_setting_is_in_it_with_its_rule():
    found = leaves()
    checks = {f"checks.{name}" for name in CheckSettings.__struct_fields__}
    assert set(found) == (set(RULES) - {"checks"}) | checks
    for key, leaf in found.items():
        assert leaf["description"].endswith((".", "*.pem")), key
        assert leaf["x-rule"] == RULES.get(key, RULES["checks"])
        assert leaf["x-scope"] == ("user" if leaf["x-rule"] == "user" else "workspace")
        assert leaf["type"] in ("string", "integer", "boolean", "array")
    assert all(table["description"] for table in schema()["properties"].values())


def test_defaults_bounds_and_choices_are_those_of_the_records():
    found = leaves()
    for section, fields in msgspec.to_builtins(Settings()).items():
        for name, value in fields.items():
            leaf = found[f"{section}.{name}"]
            assert leaf["default"] == (list(value) if isinstance(value, tuple) else value)
            assert value in leaf.get("enum", [value])
            assert leaf.get("minimum", value) <= value <= leaf.get("maximum", value) if isinstance(value, int) else True
    assert found["editor.check_on"]["enum"] == ["change", "manual", "save"]
    assert (found["editor.delay_ms"]["minimum"], found["editor.delay_ms"]["maximum"]) == (0, 60_000)
    assert found["checks.command"] == {
        "description": found["checks.command"]["description"],
        "type": "array",
        "items": {"type": "string"},
        "minItems": 1,
        "x-scope": "workspace",
        "x-rule": "free",
    }
    assert found["checks.kind"]["enum"] == ["build", "lint", "tests", "types"]


@pytest.mark.parametrize("section", sorted({key.partition(".")[0] for key in RULES}))
def test_unknown_keys_are_refused_as_the_settings_refuse_them(section):
    table = schema()["properties"][section]
    inner = table["additionalProperties"] if section == "checks" else table
    assert inner["additionalProperties"] is False
    assert schema()["additionalProperties"] is False
