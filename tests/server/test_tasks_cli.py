"""`suture tasks` as a user runs it: a set from a real workspace, killed half-way and gone on with, listed and verified."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tasks_shop import CALC, TEST_CALC, empty_environment

PROGRAM = (sys.executable, "-c", "from suture_server.cli import main; main()")


@pytest.fixture
def calc(tmp_path: Path) -> Path:
    root = tmp_path / "calc"
    root.mkdir()
    empty_environment(root)
    (root / "calc.py").write_text(CALC)
    (root / "test_calc.py").write_text(TEST_CALC)
    return root


def tasks_in(folder: Path) -> list[str]:
    path = folder / "tasks.jsonl"
    return [json.loads(line)["id"] for line in path.read_text().splitlines()] if path.exists() else []


def test_a_set_is_made_killed_gone_on_with_listed_and_verified(suture, calc, tmp_path, environ):
    out, options = tmp_path / "set", ("--count", "4", "--runs", "1", "--initial-build-below", "100s")
    running = subprocess.Popen([*PROGRAM, "tasks", "make", str(calc), "--out", str(out), *options], env=environ, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not tasks_in(out):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    before = tasks_in(out)
    assert before
    unfinished = suture("tasks", "list", out, "--json")
    assert (unfinished.code, unfinished.summary["finished"], unfinished.summary["tasks"]) == (0, False, len(before))
    refused = suture("tasks", "make", calc, "--out", out, *options)
    assert refused.code == 2
    assert "--resume" in refused.err
    made = suture("tasks", "make", calc, "--out", out, *options, "--resume", "--json")
    assert made.code == 0
    again = [line["id"] for line in made.events("task") if line.get("again")]
    assert again == before
    summary = made.summary
    assert (summary["kept"], summary["tasks"], sum(summary["splits"].values())) == (4, 4, 4)
    assert summary["candidates"] == summary["kept"] + sum(summary["dropped"].values())
    assert summary["filters"] == {"initial_build_seconds_below": 100}
    listed = suture("tasks", "list", out, "--json")
    assert listed.code == 0
    assert [line["id"] for line in listed.events("task")] == tasks_in(out)
    assert listed.summary["set"] == summary["set"]
    whole = suture("tasks", "make", calc, "--out", tmp_path / "whole", *options, "--json")
    assert whole.summary["set"] == summary["set"]
    first = tasks_in(out)[0]
    verified = suture("tasks", "verify", out, "--runs", "1", "--task", first[:6], "--json")
    assert (verified.code, verified.summary["good"]) == (0, 1)
    assert verified.events("verified")[0]["id"] == first


def test_a_task_that_does_not_hold_is_found_and_taken_out(suture, calc, tmp_path):
    out = tmp_path / "set"
    assert suture("tasks", "make", calc, "--out", out, "--count", "2", "--runs", "1").code == 0
    lines = (out / "tasks.jsonl").read_text().splitlines()
    spoilt = json.loads(lines[0])
    spoilt["gold"] = spoilt["broken"]
    (out / "tasks.jsonl").write_text("\n".join([json.dumps(spoilt), *lines[1:]]) + "\n")
    found = suture("tasks", "verify", out, "--runs", "1", "--drop", "--json")
    assert found.code == 1
    assert {line["id"]: line["good"] for line in found.events("verified")}[spoilt["id"]] is False
    assert found.summary["dropped"] == 1
    assert spoilt["id"] not in tasks_in(out)
    assert len(tasks_in(out)) == 1
    assert suture("tasks", "verify", out, "--runs", "1").code == 0


def test_what_cannot_be_done_says_what_to_do(suture, calc, tmp_path):
    for arguments, code, said in (
        (("make", calc), 2, "--out"),
        (("make", calc, "--out", tmp_path / "a", "--from", "history"), 2, "is in no git repository"),
        (("make", calc, "--out", tmp_path / "b", "--from", "written"), 2, "--policy"),
        (("list", calc), 2, "suture tasks make"),
        (("verify", tmp_path / "gone"), 2, "is no task set"),
    ):
        run = suture("tasks", *arguments)
        assert run.code == code
        assert said in run.err
        assert run.out == ""


def test_a_workspace_without_mistakes_to_make_has_no_tasks(suture, calc, tmp_path):
    (calc / "calc.py").write_text("")
    (calc / "test_calc.py").write_text("import unittest\n\n\nclass A(unittest.TestCase):\n    def test(self):\n        pass\n")
    run = suture("tasks", "make", calc, "--out", tmp_path / "set", "--runs", "1", "--json")
    assert (run.code, run.summary["kept"], run.summary["candidates"]) == (1, 0, 0)
