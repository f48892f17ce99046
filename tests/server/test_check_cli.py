"""`suture check` as a program: exit codes and JSON lines as promised, and what goes wrong around it."""

from __future__ import annotations

import json
import os
import pty
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

CHECKS = """\
[checks.good]
kind = "lint"
command = ["true"]

[checks.slow]
kind = "lint"
command = ["sleep", "20"]
timeout = 1

[checks.gone]
kind = "lint"
command = ["no-such-tool"]

[checks.tool]
kind = "lint"
report = "generic"
command = ["sh", "-c", "printf 'caf\\u00e9.py:1:7: error: E1 no \\u20ac here\\\\n'; exit 1"]
"""


@pytest.fixture(autouse=True)
def known_interpreter(environ: dict[str, str], cache: Path) -> None:
    environ["XDG_CACHE_HOME"] = str(cache)


@pytest.fixture
def cafe(tmp_path: Path) -> Path:
    """A workspace whose path and files have spaces and more than ASCII in their names, with checks of its own."""
    root = tmp_path / "mon café €"
    root.mkdir()
    (root / "suture.toml").write_text(CHECKS)
    (root / "café.py").write_text("x = '😀' + y\n")
    return root


def test_every_line_is_as_promised(suture: Program, cafe: Path):
    run = suture("check", cafe, "--json")
    assert run.code == 3
    checks = {line["name"]: line for line in run.events("check")}
    assert {name: line["status"] for name, line in checks.items()} == {
        "build": "passed", "good": "passed", "slow": "timeout", "gone": "infrastructure", "tool": "failed",
    }  # fmt: skip
    plain = {"event", "name", "command", "status", "exit_code", "seconds", "findings"}
    assert set(checks["good"]) == plain
    assert set(checks["tool"]) == plain
    assert set(checks["gone"]) == set(checks["slow"]) == plain | {"ended", "reason"}
    assert checks["good"] == {**checks["good"], "command": ["true"], "exit_code": 0, "findings": 0}
    assert checks["slow"]["exit_code"] is None
    assert (finding := next(line for line in run.events("finding") if line["check"] == "tool")) == {
        "event": "finding",
        "check": "tool",
        "path": "café.py",
        "range": finding["range"],
        "severity": "error",
        "code": "E1",
        "message": "no € here",
    }
    assert finding["range"][0] == [0, 7]
    after = [line for line in run.lines if line.get("check", line.get("name")) == "tool"]
    assert [line["event"] for line in after] == ["check", "finding"]
    assert run.lines[-1] == {**run.summary, "passed": 2, "failed": 2, "infrastructure": 1}
    assert set(run.summary) == {"event", "passed", "failed", "infrastructure", "environment", "seconds"}
    assert run.err == ""


def test_people_see_plain_text_where_there_is_no_terminal(suture: Program, cafe: Path):
    run = suture("check", cafe, "--check", "tool", "--check", "good", "--check", "tool", FORCE_COLOR="")
    assert run.code == 1
    assert sorted(line.split()[0] for line in run.out.splitlines()) == ["1", "café.py:1:8:", "good", "tool"]
    assert "  café.py:1:8: [E1] no € here\n" in run.out
    assert "\x1b" not in run.out + run.err
    assert "suture's own interpreter is used" in run.err
    quiet = suture("check", cafe, "--check", "good", "--quiet")
    assert (quiet.code, quiet.err) == (0, "")


def on_a_terminal(environ: Mapping[str, str], *arguments: str | Path, **variables: str) -> tuple[int, str]:
    master, slave = pty.openpty()
    wanted = {**environ, "TERM": "xterm-256color", **variables}
    process = subprocess.Popen([*PROGRAM, *map(str, arguments)], env=wanted, stdout=slave, stderr=slave)
    os.close(slave)
    said = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            break
        if not piece:
            break
        said += piece
    os.close(master)
    return process.wait(timeout=20), said.decode()


@pytest.mark.parametrize(("variables", "colours"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_terminals_and_for_those_who_want_them(
    environ: dict[str, str], cafe: Path, variables: dict[str, str], colours: bool
):
    environ.pop("NO_COLOR", None)
    code, said = on_a_terminal(environ, "check", cafe, "--check", "tool", **variables)
    assert code == 1
    assert ("\x1b[31m" in said) is colours
    assert "no € here" in said


def test_workspace_is_the_project_around_a_file_and_a_folder_is_taken_as_it_is(suture: Program, cafe: Path):
    (cafe / "pkg").mkdir()
    (cafe / "pkg" / "a.py").write_text("x = 1\n")
    around = suture("check", cafe / "pkg" / "a.py", "--check", "good", "--json")
    assert around.events("check")[0]["status"] == "passed"
    inside = suture("check", "--check", "good", "--json", folder=cafe / "pkg")
    assert inside.summary["environment"] == around.summary["environment"]
    folder = suture("check", cafe / "pkg", "--json")
    assert [line["name"] for line in folder.events("check")] == ["build"]


def test_folder_without_checks_passes_and_says_so(suture: Program, tmp_path: Path):
    run = suture("check", tmp_path, "--json", "-v")
    assert (run.code, run.summary["passed"], run.summary["failed"]) == (0, 0, 0)
    assert "no checks were found" in suture("check", tmp_path).err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "gone"), "gone does not exist"),
        (("check", "a", "b"), "unexpected extra argument"),
        (("check", "--jsn"), "Did you mean '--json'?"),
        (("check", "--check"), "requires an argument"),
        (("check", ".", "--check", "goood"), "checks of this workspace: build, good, slow, gone, tool"),
        (("chek",), "Did you mean 'check'?"),
    ],
)
def test_wrong_arguments_are_a_usage_error_and_leave_stdout_alone(suture: Program, cafe: Path, arguments: tuple[str, ...], said: str):
    run = suture(*arguments, folder=cafe)
    assert (run.code, run.out) == (2, "")
    assert said in run.err


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("suture.toml", '[checks.a]\nkind = "lint"\ncomand = ["true"]\n', ("suture.toml:3", "comand", "did you mean 'command'")),
        ("suture.toml", "[sandbox]\nmemory_mib = 'much'\n", ("suture.toml:2", "sandbox.memory_mib")),
        ("suture.toml", "[sandbox\n", ("suture.toml:1",)),
        ("pyproject.toml", "[tool.suture]\n\n[tool.suture.verdct]\nreruns = 3\n", ("pyproject.toml:", "did you mean 'verdict'")),
        ("pyproject.toml", "[tool.suture.guard]\nallow_test_edits = true\n", ("pyproject.toml:2", "guard.allow_test_edits")),
    ],
)
def test_wrong_configuration_names_file_line_key_and_the_nearest_name(
    suture: Program, tmp_path: Path, name: str, text: str, said: tuple[str, ...]
):
    (tmp_path / name).write_text(text)
    run = suture("check", tmp_path, "--json")
    assert (run.code, run.out) == (2, "")
    assert all(each in run.err for each in said), run.err


def test_interrupt_ends_the_check_and_everything_it_started(environ: Mapping[str, str], tmp_path: Path):
    (tmp_path / "suture.toml").write_text('[checks.slow]\nkind = "lint"\ncommand = ["sleep", "987.5"]\n')
    process = subprocess.Popen(
        [*PROGRAM, "check", str(tmp_path), "--json"], env=dict(environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline, children = time.monotonic() + 30, list[psutil.Process]()
    while not any("sleep" in child.name() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
        children = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=10)
    finally:
        process.kill()
    assert (process.returncode, err.strip()) == (130, "interrupted")
    assert not any('"summary"' in line for line in out.splitlines())
    assert all(json.loads(line)["event"] in ("check", "finding") for line in out.splitlines())
    _, alive = psutil.wait_procs(children, timeout=10)
    assert [child.name() for child in alive if child.status() != psutil.STATUS_ZOMBIE] == []


@pytest.mark.parametrize("arguments", [("--check", "good"), ("--check", "good", "--json"), ("--help",)])
def test_pipe_that_nobody_reads_is_an_interruption_not_a_problem(unread: Program, cafe: Path, arguments: tuple[str, ...]):
    code, err = unread("check", cafe, "--quiet", *arguments)
    assert (code, err) == (130, "")


def test_folder_that_cannot_be_written_is_checked_all_the_same(unprivileged: Program, cafe: Path):
    cafe.chmod(0o555)
    run = unprivileged("check", cafe, "--check", "tool", "--check", "good", "--json")
    cafe.chmod(0o755)
    assert run.code == 1
    assert [line["message"] for line in run.events("finding")] == ["no € here"]
    assert sorted(path.name for path in cafe.iterdir()) == ["café.py", "suture.toml"]


@pytest.mark.parametrize("command", ["check", "fix"])
def test_tests_that_cannot_be_run_are_told_where_everything_else_passes(suture: Program, shop: Path, tmp_path: Path, command: str):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    run = suture(command, shop, SUTURE_PYTHON=str(bare / "bin" / "python"))
    assert run.code == 0, run.err
    assert "note: tests: pytest is not installed in the workspace's environment; install it there" in run.err
    assert "note:" not in suture(command, shop, "--quiet", SUTURE_PYTHON=str(bare / "bin" / "python")).err
