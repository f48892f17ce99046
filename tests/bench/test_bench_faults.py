"""A small version of the bench of faults; and that it would tell of a wrong outcome, and of what is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from suture_sandbox.backend import Completed
from suture_sandbox.verdict import Verdict

BENCH = Path(__file__).with_name("bench_faults.py")


def _run(folder: Path, *options: str) -> tuple[int, dict]:
    done = subprocess.run([sys.executable, str(BENCH), "--out", str(folder), "--docker", "0", *options], check=False, capture_output=True)
    assert (folder / "faults.json").exists(), done.stderr.decode()
    return done.returncode, json.loads((folder / "faults.json").read_text())


def test_a_few_hundred_attempts_with_faults(tmp_path):
    code, told = _run(tmp_path, "--attempts", "150", "--seed", "5")
    assert (code, told["wrong"], told["left"]) == (0, [], [])
    assert told["attempts"]["local"] >= 150
    assert told["total"]["right"] > 75
    assert sum(told["faults"].values()) >= 3, told["faults"]
    assert (tmp_path / "faults.svg").read_text().rstrip().endswith("</svg>")


def test_wrong_outcomes_are_told(tmp_path):
    """The in-memory backend has no programs: whatever is asked of it ends with 127."""
    code, told = _run(tmp_path, "--attempts", "20", "--backend", "memory")
    assert code == 1
    assert {each["job"] for each in told["wrong"]} >= {"shell: passes", "shell: fails"}
    assert any("exited 127 instead of exited 0" in each["why"] for each in told["wrong"])


def test_what_is_left_is_told(faults: SimpleNamespace):
    ground = faults.ground.Ground()
    mark = uuid.uuid4().hex
    with subprocess.Popen(["sleep", "60"], env={"BENCH_FAULTS": mark}) as stray:
        scratch = ground.scratch(1, bounded=False)
        before = faults.ground.Surroundings(ground)
        while not (left := before.left(999_999_999, mark, scratch, frozenset())):
            pass
        assert [name.split()[0] for name in left["processes"]] == [str(stray.pid)]
        (scratch / "left").write_text("")
        (ground.root / "calc.py").write_text("")
        left = before.left(999_999_999, mark, scratch, frozenset({stray.pid}))
        stray.kill()
    assert left == {"folders": ["left"], "changed files": ["the workspace"]}
    ground.remove()
    assert not ground.folder.exists()
    assert not psutil.pid_exists(stray.pid)


@pytest.mark.parametrize(
    ("passed", "infrastructure", "outcome"), [(True, False, "wrong"), (False, False, "right"), (False, True, "infrastructure")]
)
def test_verdicts_are_judged(faults: SimpleNamespace, passed, infrastructure, outcome):
    proof = next(each for each in faults.jobs.PROOFS if not each.passes)
    assert faults.jobs.judge_proof(proof, Verdict(passed=passed, infrastructure=infrastructure))[0] == outcome


def test_attempts_are_judged(faults: SimpleNamespace):
    job = next(each for each in faults.jobs.JOBS if each.name == "time-out")
    assert faults.jobs.judge(job, Completed(ended="timeout", exit_code=None)) == ("right", "")
    assert faults.jobs.judge(job, Completed(ended="exited", exit_code=0))[0] == "wrong"


def test_the_small_disk_can_be_filled_and_drained(faults: SimpleNamespace):
    ground = faults.ground.Ground()
    try:
        if not ground.bounded:
            pytest.skip("only root can have a disk of its own to fill")
        ground.fill()
        with pytest.raises(OSError, match="No space"):
            (ground.disk / "more").write_bytes(bytes(1 << 16))
        ground.drain()
        (ground.disk / "more").write_bytes(bytes(1 << 16))
    finally:
        ground.remove()
    assert str(ground.folder) not in Path("/proc/self/mounts").read_text()
    assert os.path.lexists(ground.folder) is False
