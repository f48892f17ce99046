"""The extension for VS Code offers every setting there is, and an opened folder can decide only those that no rule binds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from suture_agent.settings import RULES, schema

MANIFEST = Path(__file__).parents[2] / "editors" / "vscode" / "package.json"
TABLES = {"checks"}


def contributed() -> dict[str, dict[str, Any]]:
    """Dotted name -> what the manifest says of it."""
    sections = json.loads(MANIFEST.read_text())["contributes"]["configuration"]
    return {name.removeprefix("suture."): value for section in sections for name, value in section["properties"].items()}


def test_every_setting_is_offered_as_the_schema_has_it():
    """After a change of the settings: node settings.mjs, in editors/vscode."""
    offered = contributed()
    sections = {name: table for name, table in schema()["properties"].items() if name not in TABLES}
    for section, table in sections.items():
        for key, leaf in table["properties"].items():
            words = {name: value for name, value in leaf.items() if not name.startswith("x-")}
            assert offered[f"{section}.{key}"] == {**words, "scope": "window" if leaf["x-rule"] == "free" else "machine"}


def test_what_is_offered_beside_them_is_the_extensions_own():
    assert {name.partition(".")[0] for name in set(contributed()) - set(RULES)} == {"server", "offers", "trace"}


def test_restricted_mode_is_told_of_all_that_a_folder_must_not_decide():
    trust = json.loads(MANIFEST.read_text())["capabilities"]["untrustedWorkspaces"]
    bound = {f"suture.{name}" for name, rule in RULES.items() if rule != "free"}
    assert bound <= set(trust["restrictedConfigurations"])
