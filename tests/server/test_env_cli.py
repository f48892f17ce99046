"""`suture env` as a program: what it writes, shows and compares, and what it says of lock files that are none."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Program = Callable[..., Any]


@pytest.fixture(autouse=True)
def known_interpreter(environ: dict[str, str], cache: Path) -> None:
    environ["XDG_CACHE_HOME"] = str(cache)


@pytest.fixture
def cafe(tmp_path: Path) -> Path:
    root = tmp_path / "mon café"
    root.mkdir()
    (root / "suture.toml").write_text('[checks.good]\nkind = "lint"\ncommand = ["true"]\n')
    return root


def test_lock_show_verify_and_diff_agree(suture: Program, cafe: Path):
    shown = suture("env", "show", cafe, "--json")
    assert shown.code == 0
    assert len(shown.lines) == 1
    assert set(shown.summary) == {"event", "environment", "fields"}
    assert shown.summary["fields"]["checks"]["good"]["command"] == ["true"]
    locked = suture("env", "lock", cafe, "--json")
    assert locked.lines == [{"event": "summary", "environment": shown.summary["environment"], "path": "suture.lock"}]
    text = (cafe / "suture.lock").read_text()
    assert tomllib.loads(text)["identity"] == shown.summary["environment"]
    assert str(cafe) not in text
    verified = suture("env", "verify", cafe, "--json")
    assert (verified.code, verified.summary["differences"]) == (0, 0)
    assert verified.summary["before"] == verified.summary["after"] == shown.summary["environment"]
    (cafe / "before.lock").write_text(text)
    (cafe / "suture.toml").write_text('[checks.good]\nkind = "lint"\ncommand = ["true", "really"]\n')
    drifted = suture("env", "verify", "--json", folder=cafe)
    assert drifted.code == 1
    assert [line["field"] for line in drifted.events("difference")] == ["checks.good.command"]
    assert suture("env", "lock", cafe).out.startswith("wrote suture.lock: environment ")
    compared = suture("env", "diff", "before.lock", "suture.lock", "--json", folder=cafe)
    assert compared.code == 1
    assert compared.lines == [
        {"event": "difference", "field": "checks.good.command", "before": '["true"]', "after": '["true","really"]'},
        {"event": "summary", "differences": 1, "before": locked.summary["environment"], "after": drifted.summary["after"]},
    ]
    people = suture("env", "diff", "before.lock", ".", folder=cafe)
    assert people.code == 1
    assert people.out == "the check good changed: command was true and is true really\n"
    same = suture("env", "diff", cafe, cafe / "suture.lock")
    assert (same.code, same.out[:30]) == (0, "the two environments are the s")


def test_environment_is_the_same_wherever_the_workspace_lies(suture: Program, cafe: Path, tmp_path: Path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "suture.toml").write_bytes((cafe / "suture.toml").read_bytes())
    here, there = (suture("env", "show", root, "--json").summary for root in (cafe, tmp_path / "other"))
    assert here == there


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify", "."), "suture env lock"),
        (("diff", ".", "."), "suture.lock does not exist"),
        (("diff", "gone.lock", "gone.lock"), "gone.lock cannot be read"),
        (("diff", "suture.toml", "suture.toml"), "suture.toml"),
        (("diff", "."), "Missing argument 'B'"),
        (("lock", "gone"), "gone does not exist"),
        (("lok",), "No such command 'lok'"),
    ],
)
def test_wrong_arguments_say_what_is_missing(suture: Program, cafe: Path, arguments: tuple[str, ...], said: str):
    run = suture("env", *arguments, folder=cafe)
    assert (run.code, run.out) == (2, "")
    assert said in run.err


@pytest.mark.parametrize("text", [b"", b"version = 1\n", b"\xff", b"version = 999\n", b"= broken"])
def test_lock_file_that_is_none_is_named_with_what_mends_it(suture: Program, cafe: Path, text: bytes):
    (cafe / "suture.lock").write_bytes(text)
    (cafe / "other.lock").write_bytes(text)
    run = suture("env", "diff", "suture.lock", "other.lock", "--json", folder=cafe)
    assert (run.code, run.out) == (2, "")
    assert "suture.lock" in run.err
    other = suture("env", "diff", "other.lock", ".", folder=cafe)
    assert other.code == 2
    assert "other.lock" in other.err


def test_lock_is_written_whole_or_not_at_all(unprivileged: Program, cafe: Path):
    cafe.chmod(0o555)
    run = unprivileged("env", "lock", cafe)
    cafe.chmod(0o755)
    assert run.code == 2
    assert "make the workspace writable" in run.err
    assert [path.name for path in cafe.iterdir()] == ["suture.toml"]


@pytest.mark.parametrize("arguments", [("show",), ("show", "--json")])
def test_pipe_that_nobody_reads_is_an_interruption(unread: Program, cafe: Path, arguments: tuple[str, ...]):
    assert unread("env", *arguments, cafe, "--quiet") == (130, "")
