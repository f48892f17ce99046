"""`suture doctor`, `suture model list`, `--help` and `--version` as programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from suture_agent.models import CATALOGUE, DEFAULT_MODEL
from suture_server.cli.group import COMMANDS

Program = Callable[..., Any]


def test_every_part_is_examined_and_summed_up(suture: Program, shop: Path):
    run = suture("doctor", shop, "--json")
    examined = run.events("examined")
    assert [line["name"] for line in examined] == ["sandbox", "workspace", "lock", "pins", "policy", "journal"]
    assert all(set(line) == {"event", "name", "good", "says", "remedy", "details", "needed"} for line in examined)
    bad = [line for line in examined if not line["good"] and line["needed"]]
    assert run.code == (1 if bad else 0)
    assert run.summary == {"event": "summary", "good": 6 - len(bad), "bad": len(bad)}
    assert all(line["remedy"] for line in bad)
    assert "checks build, tests" in examined[1]["says"]
    assert any("network" in line for line in examined[0]["details"])
    settings = run.events("setting")
    assert all(set(line) == {"event", "key", "value", "origin"} for line in settings)
    assert not (shop / ".suture").exists()


def test_people_see_what_is_wrong_and_what_mends_it(suture: Program, shop: Path, environ: dict[str, str], cache: Path):
    environ["XDG_CACHE_HOME"] = str(cache)
    run = suture("doctor", shop, SUTURE_POLICY="embedded:qwen2.5-coder-0.5b")
    assert run.code == 1
    lines = run.out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("--  policy"))
    assert lines[at + 1].strip().startswith("try: ")
    assert next(line for line in lines if line.startswith("ok  sandbox"))
    assert "policy.spec = 'embedded:qwen2.5-coder-0.5b'    SUTURE_POLICY" in run.out
    assert "verdict.reruns" not in run.out
    assert "\x1b" not in run.out
    assert "verdict.reruns = " in suture("doctor", shop, "-v").out


def test_every_setting_is_listed_and_described(suture: Program, shop: Path):
    settings = {line["key"]: line["value"] for line in suture("doctor", shop, "--json").events("setting")}
    assert (settings["editor.check_on"], settings["editor.background"], settings["privacy.exclude"]) == ("save", False, [])
    assert "editor.worker_idle_minutes = 10" in suture("doctor", shop, "-v").out
    described = suture("doctor", "--schema")
    assert (described.code, described.err) == (0, "")
    sections = json.loads(described.out)["properties"]
    named = {f"{section}.{name}" for section, table in sections.items() for name in table.get("properties", ())}
    assert named == set(settings)
    assert described.out == (Path(__file__).parents[2] / "docs" / "settings.schema.json").read_text()


def test_wrong_configuration_is_found_by_the_doctor_too(suture: Program, shop: Path):
    (shop / "suture.toml").write_text("[sandbox]\nmemory = 3\n")
    run = suture("doctor", shop, "--json")
    assert run.code == 2
    workspace = next(line for line in run.events("examined") if line["name"] == "workspace")
    assert not workspace["good"]
    assert "suture.toml:2" in workspace["says"]
    assert "suture.toml:2" in run.err


def test_journal_that_cannot_be_written_is_told(unprivileged: Program, shop: Path, environ: dict[str, str], tmp_path: Path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    environ["XDG_DATA_HOME"] = str(closed)
    journal = next(line for line in unprivileged("doctor", shop, "--json").events("examined") if line["name"] == "journal")
    assert not journal["good"]
    assert str(closed) in journal["says"]
    assert "journal.path" in journal["remedy"]


def test_models_are_listed_with_what_is_here(suture: Program, environ: dict[str, str]):
    run = suture("model", "list", "--json")
    assert run.code == 0
    models = run.events("model")
    assert [line["name"] for line in models] == [model.name for model in CATALOGUE]
    assert all(set(line) == {"event", "name", "state", "bytes", "present", "sha256", "licence", "path"} for line in models)
    assert {line["state"] for line in models} == {"absent"}
    assert all(line["path"].startswith(environ["HOME"]) for line in models)
    assert (run.summary["models"], run.summary["default"]) == (len(CATALOGUE), DEFAULT_MODEL)
    people = suture("model", "list")
    assert f"{DEFAULT_MODEL}  (default)" in people.out
    assert f"suture model pull {DEFAULT_MODEL}" in people.out
    unknown = suture("model", "pull", "qwen2.5-coder-2b", "--json")
    assert unknown.code in (2, 3)
    assert unknown.out == ""
    assert DEFAULT_MODEL in unknown.err


def test_version_and_help(suture: Program):
    assert suture("--version").out == f"suture {version('suture')}\n"
    for flag in ("--help", "-h"):
        shown = suture(flag)
        assert (shown.code, shown.err) == (0, "")
        assert all(f"\n  {name}" in shown.out for name in COMMANDS)
    nothing = suture()
    assert nothing.code == 2
    assert "suture doctor" in nothing.err + nothing.out
    wrong = suture("--verison")
    assert wrong.code == 2
    assert "--version" in wrong.err


@pytest.mark.parametrize("arguments", [("--help",), ("model", "list"), ("model", "list", "--json")])
def test_pipe_that_nobody_reads_is_an_interruption(unread: Program, arguments: tuple[str, ...]):
    assert unread(*arguments) == (130, "")
