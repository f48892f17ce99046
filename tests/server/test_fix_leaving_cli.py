"""What `suture fix` leaves in files (`--report`, `--sarif`), and that it goes on (`--watch`): the real program, a scripted policy."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

RIGHT = {"text": "    return sum(prices)\n", "repeat": 0}
PROGRAM = (sys.executable, "-c", "from suture_server.cli import main; main()")
QUICK = {
    "SUTURE_VERDICT__REPRODUCED": "1",
    "SUTURE_VERDICT__RERUNS": "1",
    "SUTURE_VERDICT__CONTROLS": "0",
    "SUTURE_VERDICT__SHAKEN": "0",
    "SUTURE_HARNESS__EDITS_BY_RULE": "off",
}


@pytest.fixture
def environ(environ: Mapping[str, str], cache: Path) -> dict[str, str]:
    """With short proofs, and what suture knows of the interpreter."""
    return {**environ, **QUICK, "XDG_CACHE_HOME": str(cache)}


CHECK = """
import sys
import cart
if cart.total([1, 2]) != 3:
    print("cart.py:2:5: error: the total is wrong")
    sys.exit(1)
"""


@pytest.fixture
def till(tmp_path: Path) -> Path:
    """A workspace whose check is quicker than pytest."""
    root = tmp_path / "till"
    root.mkdir()
    (root / "cart.py").write_text("def total(prices):\n    return sum(prices) + 1\n")
    (root / "check_total.py").write_text(CHECK)
    (root / "suture.toml").write_text('[checks.total]\nkind = "lint"\nreport = "generic"\ncommand = ["python", "check_total.py"]\n')
    return root


Program = Callable[..., Any]
Script = Callable[..., str]


def test_a_page_and_a_log_are_left_of_a_run(suture: Program, shop: Path, script: Script, tmp_path: Path):
    page, log = tmp_path / "fix.html", tmp_path / "fix.sarif"
    run = suture("fix", shop, "--policy", script(RIGHT), "--report", page, "--sarif", log)
    assert run.code == 0, run.err
    assert f"wrote {page}" in run.err
    text = page.read_text()
    assert "<h1>1 of 1 problem fixed</h1>" in text
    assert "test_cart.py::test_two" in text
    assert '<span class="added">+    return sum(prices)\n</span>' in text
    (result,) = json.loads(log.read_text())["runs"][0]["results"]
    assert result["fixes"][0]["artifactChanges"][0]["artifactLocation"]["uri"] == "cart.py"
    assert "result = 1" in (shop / "cart.py").read_text()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["fix.html", "fix.sarif", "script.jsonl", "shop"]


@pytest.mark.parametrize(("where", "said"), [("nowhere/fix.html", "does not exist; make it"), (".", "is a folder; name a file in it")])
def test_a_file_that_cannot_be_written_is_told_before_the_work(suture: Program, shop: Path, script: Script, where: str, said: str):
    run = suture("fix", ".", "--policy", script(RIGHT), "--report", where, folder=shop)
    assert run.code == 2
    assert said in run.err
    assert not (shop / ".suture").exists()


def test_a_run_that_is_interrupted_leaves_what_it_had(environ: Mapping[str, str], till: Path, script: Script, tmp_path: Path):
    page = tmp_path / "fix.html"
    slow = script({"text": "    return 1\n", "delay": 60})
    command = [*PROGRAM, "fix", str(till), "--json", "--policy", slow, "--report", str(page)]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "problem"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert "The run was interrupted." in page.read_text()
    assert "<strong>cancelled</strong>" in page.read_text()


class Watching:
    """The program while it watches."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def summary(self) -> dict[str, Any]:
        """The next one; whoever waits for a run that never comes is ended by the test's own time-out."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if (told := json.loads(line))["event"] == "summary":
                return dict(told)
        raise AssertionError(self.process.stderr.read() if self.process.stderr else "it ended")


@pytest.fixture
def watching(environ: Mapping[str, str], till: Path) -> Iterator[Callable[..., Watching]]:
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Watching:
        command = [*PROGRAM, "fix", str(till), "--watch", "--json", *arguments]
        running.append(subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return Watching(running[-1])

    yield start
    for each in running:
        each.kill()
        each.communicate()


def test_each_change_is_worked_on_and_what_it_wrote_itself_is_none(watching: Callable[..., Watching], till: Path, script: Script):
    it = watching("--apply", "--policy", script(RIGHT), "--report", str(till / "fix.html"))
    assert it.summary()["fixed"] == 1
    assert "sum(prices)" in (till / "cart.py").read_text()
    for name in (".cart.py.swp", "cart.py~", ".coverage", "4913"):  # what an editor and a tool leave
        (till / name).write_text("noise")
    time.sleep(2)  # what it wrote has been noticed by now, and so has this
    (till / "cart.py").write_text("def total(prices):\n    return sum(prices) + 2\n")
    assert it.summary()["fixed"] == 1
    settings = (till / "suture.toml").read_text()
    (till / "suture.toml").write_text("[guard]\nprotect = 1\n")  # for a moment it cannot be worked on
    time.sleep(2)
    (till / "suture.toml").write_text(settings)
    assert it.summary()["problems"] == 0
    it.process.send_signal(signal.SIGINT)
    out, err = it.process.communicate(timeout=30)
    assert (it.process.returncode, out) == (130, "")
    assert "suture.toml:2" in err
    assert "All checks pass" in (till / "fix.html").read_text()


def test_a_proven_patch_is_proven_again_after_a_change_and_no_policy_is_asked(
    watching: Callable[..., Watching], till: Path, script: Script
):
    it = watching("--policy", script({"text": "    return sum(prices)\n"}))  # it has one answer
    assert it.summary()["fixed"] == 1
    (till / "notes.txt").write_text("later\n")
    assert it.summary()["fixed"] == 1
    assert "+ 1" in (till / "cart.py").read_text()
