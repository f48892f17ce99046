"""`suture fix` and `suture check` as programs: real sandbox, scripted policy, exit codes and JSON lines of the command line's promise."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

RIGHT = {"text": "    return sum(prices)\n", "repeat": 0}
WRONG = {"text": "    return len(prices) + 4\n", "repeat": 0}
PROGRAM = (sys.executable, "-c", "from suture_server.cli import main; main()")

Program = Callable[..., Any]
Script = Callable[..., str]


def test_check_tells_what_fails(suture: Program, shop: Path):
    run = suture("check", shop, "--json")
    assert run.code == 1
    checks = {line["name"]: line for line in run.events("check")}
    assert {name: line["status"] for name, line in checks.items()} == {"build": "passed", "tests": "failed"}
    (finding,) = run.events("finding")
    assert (finding["path"], finding["range"][0], finding["test"]) == ("test_cart.py", [4, 4], "test_cart.py::test_two")
    assert run.summary["failed"] == 1
    assert len(run.summary["environment"]) == 64


def test_fix_writes_the_proven_patch_and_nothing_else(suture: Program, shop: Path, script: Script):
    before = {path.name: path.read_text() for path in shop.iterdir()}
    run = suture("fix", shop, "--json", "--policy", script(RIGHT))
    assert run.code == 0, run.err
    (problem,) = run.events("problem")
    (verdict,) = run.events("verdict")
    (repair,) = run.events("repair")
    assert verdict["passed"]
    assert verdict["reruns"] == 3
    assert verdict["fixed"] == ["tests::test_cart.py::test_two"]
    assert repair["outcome"] == "fixed"
    assert repair["problem"] == problem["id"]
    assert repair["files"] == ["cart.py"]
    assert (shop / repair["patch"]).read_text().startswith("diff --git a/cart.py b/cart.py\n")
    assert {path.name: path.read_text() for path in shop.iterdir() if path.is_file()} == before
    assert run.summary == {**run.summary, "problems": 1, "fixed": 1, "unfixed": 0, "infrastructure": 0, "policy": "script"}


def test_apply_changes_the_file_and_the_checks_pass_then(suture: Program, shop: Path, script: Script):
    (shop / "cart.py").chmod(0o640)
    assert suture("fix", shop, "--apply", "--policy", script(RIGHT)).code == 0
    assert "return sum(prices)" in (shop / "cart.py").read_text()
    assert (shop / "cart.py").stat().st_mode & 0o777 == 0o640
    assert suture("check", shop).code == 0
    assert suture("fix", shop, "--policy", script(RIGHT)).code == 0
    assert not list(shop.glob(".*suture-*"))


def test_diff_is_all_of_stdout_and_applies(suture: Program, shop: Path, script: Script):
    run = suture("fix", shop, "--diff", "--policy", script(RIGHT))
    done = subprocess.run(["git", "apply", "--check", "-"], cwd=shop, input=run.out, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "proven" in run.err


def test_diff_keeps_the_line_ends(environ: Mapping[str, str], shop: Path, script: Script):
    (shop / "cart.py").write_bytes((shop / "cart.py").read_bytes().replace(b"\n", b"\r\n"))
    command = [*PROGRAM, "fix", str(shop), "--diff", "--policy", script(RIGHT)]
    done = subprocess.run(command, env=environ, capture_output=True, check=False, timeout=120)
    applied = subprocess.run(["git", "apply", "-"], cwd=shop, input=done.stdout, capture_output=True, check=False)
    assert applied.returncode == 0, (done.stdout, done.stderr, applied.stderr)
    assert b"\r\n    return sum(prices)\r\n" in (shop / "cart.py").read_bytes()


HARD = "def total(prices):\n    return str(prices)\n"
"""A mistake that no edit by rule mends, so that the policy's answers decide."""


def test_wrong_answers_leave_the_problem_unfixed(suture: Program, shop: Path, script: Script):
    (shop / "cart.py").write_text(HARD)
    run = suture("fix", shop, "--json", "--policy", script(WRONG))
    assert run.code == 1
    (repair,) = run.events("repair")
    assert repair["outcome"] == "unfixed"
    assert repair["patch"] == ""
    assert "still failing" in repair["reason"]
    assert not (shop / ".suture" / "patches").exists()


def test_second_answer_may_be_the_right_one(suture: Program, shop: Path, script: Script):
    (shop / "cart.py").write_text(HARD)
    run = suture("fix", shop, "--json", "--policy", script({"text": "    return len(prices) + 4\n"}, RIGHT))
    assert run.code == 0
    assert run.events("repair")[0]["steps"] == 2


def test_policy_that_is_down_is_infrastructure_not_a_failed_fix(suture: Program, shop: Path, script: Script):
    run = suture("fix", shop, "--json", "--policy", script({"error": "infrastructure", "repeat": 0}))
    assert run.code == 3
    assert run.events("repair")[0]["outcome"] == "infrastructure"
    assert run.summary["unfixed"] == 0


def test_policy_that_cannot_be_reached_says_what_to_do(suture: Program, shop: Path):
    run = suture("fix", shop, "--json", "--policy", "http://127.0.0.1:9/v1")
    assert run.code == 3
    assert "suture model serve" in run.events("repair")[0]["reason"]


def test_nothing_to_repair(suture: Program, shop: Path, script: Script):
    (shop / "cart.py").write_text("def total(prices):\n    return sum(prices)\n")
    run = suture("fix", shop, "--policy", script())
    assert run.code == 0
    assert "nothing to repair" in run.out


def test_edit_by_rule_is_told_apart_from_the_policys_answers(suture: Program, shop: Path, script: Script):
    run = suture("fix", shop, "--json", "--policy", script(WRONG))
    assert run.code == 0
    (repair,) = run.events("repair")
    assert repair["outcome"] == "fixed"
    assert "by rule" in repair["reason"]


def test_two_problems_are_proven_one_after_the_other(suture: Program, shop: Path, script: Script):
    (shop / "tax.py").write_text("def tax(amount):\n    return amount // 10\n")
    (shop / "test_tax.py").write_text("from tax import tax\n\n\ndef test_tax():\n    assert tax(100) == 20\n")
    turns = (
        {"match": "`total`", "text": "    return sum(prices)\n", "repeat": 0},
        {"match": "`tax`", "text": "    return amount // 5\n", "repeat": 0},
    )
    run = suture("fix", shop, "--apply", "--json", "--policy", script(*turns))
    assert run.code == 0, run.out
    assert run.summary["fixed"] == 2
    assert sorted(path.name[:2] for path in (shop / ".suture" / "patches").iterdir()) == ["01", "02"]
    assert suture("check", shop).code == 0


def test_agent_harness_with_tools(suture: Program, shop: Path, script: Script):
    def call(tool: str, **arguments: Any) -> dict[str, Any]:
        return {"calls": [{"name": tool, "arguments": arguments}]}

    turns = (
        call("find_files", pattern="*.py"),
        call("read_file", path="cart.py"),
        {"calls": [{"name": "edit_file", "arguments": "{not json"}]},
        call("edit_file", path="cart.py", search="result = 2", replace="result = 0"),
        call("edit_file", path="cart.py", search="result = 1", replace="result = 0"),
        call("run_shell", command="python -c 'from cart import total; print(total([2, 3]))'; echo note > note.txt"),
        call("run_check", name="tests"),
        call("submit"),
    )
    run = suture("fix", shop, "--json", "--policy", script(*turns, header={"name": "agent", "tools": True, "context": 32768}))
    tools = [line["tool"] for line in run.events("step")]
    assert tools == [name for call_ in turns for name in ("policy", call_["calls"][0]["name"])][:-1]
    assert run.code == 0, run.out
    (repair,) = run.events("repair")
    assert repair["files"] == ["cart.py", "note.txt"]
    assert (shop / "cart.py").read_text().count("result = 1") == 1


def test_guard_refuses_a_policy_that_edits_the_test(suture: Program, shop: Path, script: Script):
    edit = {"name": "edit_file", "arguments": {"path": "test_cart.py", "search": "== 3", "replace": "== 4"}}
    turns = ({"calls": [edit]}, {"calls": [{"name": "submit", "arguments": {}}], "repeat": 0})
    run = suture("fix", shop, "--json", "--policy", script(*turns, header={"name": "agent", "tools": True, "context": 32768}))
    assert run.code == 1
    assert run.events("verdict")[0]["guard"][0]["path"] == "test_cart.py"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fix", ".", "--check", "test"), "checks of this workspace"),
        (("fix", ".", "--budget", "soon"), "is not a time"),
        (("fix", "nowhere"), "does not exist"),
        (("fixx",), "Did you mean 'fix'"),
        (("fix", ".", "--policy", "embeded"), "did you mean embedded"),
    ],
)
def test_usage_errors_say_what_to_do(suture: Program, shop: Path, arguments: tuple[str, ...], said: str):
    run = suture(*arguments, folder=shop)
    assert run.code in (2, 3)
    assert said in run.err


def test_wrong_setting_names_file_line_key_and_the_nearest_name(suture: Program, shop: Path):
    (shop / "pyproject.toml").write_text("[tool.suture.sandbox]\nmemory_mib = 512\nprocesess = 3\n")
    run = suture("check", shop)
    assert run.code == 2
    assert "pyproject.toml:3" in run.err
    assert "did you mean 'processes'" in run.err


def test_workspace_cannot_choose_the_policy(suture: Program, shop: Path):
    (shop / "suture.toml").write_text('[policy]\nspec = "http://evil.example/v1"\n')
    run = suture("fix", shop)
    assert run.code == 2
    assert "only the user's own configuration may set it" in run.err


def test_resume_proves_again_without_asking_the_policy(suture: Program, shop: Path, script: Script):
    assert suture("fix", shop, "--policy", script(RIGHT)).code == 0
    run = suture("fix", shop, "--resume", "--apply", "--json", "--policy", script({"error": "infrastructure", "repeat": 0}))
    assert run.code == 0, run.out
    (repair,) = run.events("repair")
    assert (repair["outcome"], repair["steps"]) == ("fixed", 0)
    assert "sum(prices)" in (shop / "cart.py").read_text()


def test_lock_verify_and_drift(suture: Program, shop: Path, script: Script):
    locked = suture("env", "lock", shop, "--json").summary
    assert suture("env", "show", shop, "--json").summary["environment"] == locked["environment"]
    assert suture("env", "verify", shop).code == 0
    (shop / "suture.toml").write_text('[checks.lint]\nkind = "lint"\ncommand = ["true"]\n')
    verified = suture("env", "verify", shop, "--json")
    assert verified.code == 1
    assert any(line["field"].startswith("checks.lint") for line in verified.events("difference"))
    run = suture("fix", shop, "--policy", script(RIGHT))
    assert run.code == 2
    assert "suture env lock" in run.err


def started(environ: Mapping[str, str], *arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen([*PROGRAM, *map(str, arguments)], env=dict(environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(process: subprocess.Popen[str], event: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == event:
            return
    raise AssertionError(f"no {event} line")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_ends_all_at_once(environ: Mapping[str, str], shop: Path, script: Script, number: signal.Signals):
    process = started(environ, "fix", shop, "--json", "--policy", script({"text": "    return 1\n", "delay": 60}))
    wait_for(process, "step")
    children = psutil.Process(process.pid).children(recursive=True)
    begun = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert time.monotonic() - begun < 10
    assert '"outcome":"cancelled"' in out
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


def test_kill_leaves_no_process_and_no_half_applied_edit(environ: Mapping[str, str], shop: Path, script: Script):
    (shop / "test_cart.py").write_text(
        "import time\nfrom cart import total\n\n\ndef test_two():\n    time.sleep(8)\n    assert total([1, 2]) == 3\n"
    )
    before = (shop / "cart.py").read_text()
    process = started(environ, "fix", shop, "--apply", "--json", "--policy", script(RIGHT))
    deadline = time.monotonic() + 30
    children: list[psutil.Process] = []
    while not any("python" in child.name() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
        children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert gone
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    assert (shop / "cart.py").read_text() == before


def test_doctor_shows_settings_with_their_origin(suture: Program, shop: Path):
    (shop / "suture.toml").write_text("[sandbox]\nmemory_mib = 512\n")
    run = suture("doctor", shop, "--json", SUTURE_POLICY="embedded:qwen2.5-coder-0.5b")
    settings = {line["key"]: line for line in run.events("setting")}
    assert settings["sandbox.memory_mib"] == {"event": "setting", "key": "sandbox.memory_mib", "value": 512, "origin": "suture.toml:2"}
    assert settings["policy.spec"]["origin"] == "SUTURE_POLICY"
    assert settings["verdict.reruns"]["origin"] == "default"
    assert {line["name"]: line["good"] for line in run.events("examined")}["sandbox"]


def test_help_of_every_command_has_an_example(suture: Program):
    for command in (
        ("check",), ("fix",), ("env", "lock"), ("env", "show"), ("env", "verify"), ("env", "diff"), ("model", "list"), ("model", "pull"),
        ("model", "serve"), ("journal", "stats"), ("journal", "list"), ("journal", "show"), ("doctor",),
    ):  # fmt: skip
        run = suture(*command, "--help")
        assert run.code == 0
        assert f"\n    suture {' '.join(command)}" in run.out.partition("Example")[2], command
        assert "--json" in run.out, command
