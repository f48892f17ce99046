"""`suture check --flaky` and `suture journal flaky` as programs: what is told, kept, known the next time, and cancelled."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

PROGRAM = (sys.executable, "-c", "from suture_server.cli import main; main()")
Program = Callable[..., Any]

CHECK = """\
[checks.seeded]
kind = "tests"
report = "junit"
command = ["sh", "-c", '''
failed=""
[ "$PYTHONHASHSEED" = 2 ] && failed="<failure/>"
[ "$PYTHONHASHSEED" = 3 ] && sleep NAP
case "$(cat broken.txt)" in yes) failed="<failure/>";; esac
echo "<testsuite><testcase file='t.py' name='a'>$failed</testcase><testcase file='t.py' name='b'/></testsuite>" > "$1"
[ -z "$failed" ]
''', "sh", "{report}"]
"""
"""Test `a` fails under one hash seed; the workspace's own is 0."""


@pytest.fixture(autouse=True)
def known_interpreter(environ: dict[str, str], cache: Path) -> None:
    environ["XDG_CACHE_HOME"] = str(cache)


@pytest.fixture
def seeded(tmp_path: Path) -> Path:
    root = tmp_path / "seeded"
    root.mkdir()
    (root / "suture.toml").write_text(CHECK.replace("NAP", "0"))
    (root / "t.py").write_text("")
    (root / "broken.txt").write_text("no\n")
    return root


def test_what_flips_is_told_kept_and_decides_nothing_the_next_time(suture: Program, seeded: Path):
    run = suture("check", seeded, "--check", "seeded", "--flaky", "--json")
    assert run.code == 0, run.err
    (line,) = run.events("flaky")
    assert (line["check"], line["test"], line["kind"], line["failures"]) == ("seeded", "t.py::a", "randomness", 3)
    assert line["by"]["hash seed 2"] == [3, 3]
    assert (run.summary["flaky"], run.summary["passed"]) == (1, 1)
    shown = suture("journal", "flaky", "--json")
    (kept,) = shown.events("flaky")
    assert (kept["test"], kept["kind"], kept["workspace"], kept["failures"]) == ("t.py::a", "randomness", str(seeded), 3)
    assert kept["expires"] - kept["last_seen"] == 14 * 86_400
    assert shown.summary == {"event": "summary", "flaky": 1}
    assert "t.py::a" in suture("journal", "flaky").out
    assert suture("journal", "stats", "--json").summary["flaky"] == {"randomness": 1}
    (seeded / "broken.txt").write_text("yes\n")
    fixed = suture("fix", seeded, "--policy", f"scripted:{_script(seeded)}", "--json")
    assert (fixed.code, fixed.summary["problems"], fixed.summary["flaky"], fixed.summary["dropped"]) == (1, 0, 1, 0)
    assert suture("journal", "stats", "--json").summary["dropped"] == {"flaky": 1}
    assert "1 failed only by tests that are known to be flaky" in suture("fix", seeded, "--policy", f"scripted:{_script(seeded)}").out
    assert suture("journal", "erase", "--workspace", seeded, "--yes", "--json").summary["flaky"] == 1
    assert suture("journal", "flaky", "--json").summary["flaky"] == 0


def _script(folder: Path) -> Path:
    path = folder.parent / "script.jsonl"
    path.write_text('{"name": "scripted"}\n')
    return path


def test_hunt_without_a_journal_tells_and_keeps_nothing(suture: Program, seeded: Path):
    run = suture("check", seeded, "--check", "seeded", "--flaky", SUTURE_JOURNAL="off")
    assert run.code == 0
    assert "flaky (randomness): t.py::a  failed in 3 of" in run.out
    assert "hash seed 2 3/3" in run.out
    assert "run 1 of" in run.err
    assert suture("journal", "flaky", "--json").summary.get("flaky", 0) == 0


def test_without_the_option_nothing_is_hunted_and_the_summary_stays_as_it_was(suture: Program, seeded: Path):
    run = suture("check", seeded, "--check", "seeded", "--json")
    assert set(run.summary) == {"event", "passed", "failed", "infrastructure", "environment", "seconds"}


def test_interrupt_ends_the_hunt_and_everything_it_started(environ: Mapping[str, str], seeded: Path):
    (seeded / "suture.toml").write_text(CHECK.replace("NAP", "987"))
    process = subprocess.Popen(
        [*PROGRAM, "check", str(seeded), "--check", "seeded", "--flaky", "--json"],
        env=dict(environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline, children = time.monotonic() + 60, list[psutil.Process]()
    while not any("sleep" in child.name() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, err.strip()) == (130, "interrupted")
    assert [json.loads(line)["event"] for line in out.splitlines()] == ["check"]
    _, alive = psutil.wait_procs(children, timeout=10)
    assert [child.name() for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []
