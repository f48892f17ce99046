"""`suture journal export | import` as a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from suture_agent.harness import PRESETS
from suture_agent.journal.entries import episode_entry, run_entry
from suture_agent.journal.store import Journal
from suture_agent.meter import Turn
from suture_agent.policies import ChatRequest, Choice, Completion, Message, PolicyIdentity
from suture_agent.problem import Problem
from suture_agent.repair import Repair
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.findings import Finding
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target, Verdict

TRAIN = Path(sys.prefix, "train")
if TRAIN.is_dir() and str(TRAIN) not in sys.path:  # scripts/setup.sh keeps the training libraries apart from all else
    sys.path.append(str(TRAIN))
SUTURE = (sys.executable, "-c", "from suture_server.cli import main; main()", "journal")
ENVIRONMENT = Environment(EnvironmentFields(os={"id": "debian"}), Runtime(python="/p", search_path=(), readonly=()))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path


def run(home: Path, *arguments: str, data: str = "data") -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_DATA_HOME": str(home / data), "PYTHONPATH": str(TRAIN)}
    return subprocess.run([*SUTURE, *arguments], cwd=home / "work", env=environment, capture_output=True, text=True, check=False)


def summary(done: subprocess.CompletedProcess[str]) -> dict:
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def recorded(home: Path) -> None:
    """Two fixes by one harness, one by another."""
    root = home / "work"
    (root / "a.py").write_text("x = 1\n")
    journal = Journal.open(home / "data" / "suture" / "journal.sqlite3")
    run = run_entry(journal.identifier(), root, "full")
    for number, preset in enumerate(("line", "line", "direct")):
        asked = Message(role="user", content=f"{'abc'[number]} is wrong")
        turn = Turn(request=ChatRequest(messages=(asked,)), completion=Completion(choices=(Choice(text=f"1: x => {'abc'[number]}"),)))
        finding = Finding(check="tests", path="a.py", range=Range(Position(0, 0), Position(0, 1)), code="E", message="wrong")
        done = Repair(
            problem=Problem(id=f"{number:012x}", snapshot=Snapshot(root), target=Target(check="tests", findings=(finding,)), before=()),
            outcome="fixed",
            patch=Patch((FileEdit(path="a.py", before=b"x = 1\n", after=f"{'abc'[number]} = 1\n".encode()),)),
            verdict=Verdict(passed=True, reruns=3),
            turns=(turn,),
        )
        journal.write_episode(run, episode_entry(done, ENVIRONMENT, PolicyIdentity(name="played"), PRESETS[preset], "full"))
    journal.close()


def test_a_dataset(home, recorded):
    pytest.importorskip("pyarrow")
    refused = run(home, "export", "set")
    assert refused.returncode == 2
    assert "--harness" in refused.stderr
    assert not (home / "work" / "set").exists()
    done = run(home, "export", "set", "--harness", "line", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = summary(done)
    assert (told["figures"]["rows"], told["kind"], told["identity"]["harness"]) == (2, "sft", PRESETS["line"].identity)
    assert sorted(path.name for path in (home / "work" / "set").iterdir()) == [
        "README.md",
        "card.html",
        "summary.json",
        "train-00000.parquet",
    ]
    again = run(home, "export", "set", "--harness", "line")
    assert (again.returncode, "exists already" in again.stderr) == (2, True)
    mixed = run(home, "export", "mixed", "--allow-mismatch", "harness", "--format", "jsonl")
    assert mixed.returncode == 0
    assert "3 rows (sft) in mixed" in mixed.stdout
    assert "mixed knowingly: harness." in mixed.stdout


def test_what_cannot_be_is_a_usage_error(home, recorded):
    pytest.importorskip("pyarrow")
    for arguments, said in (
        (("--policy", "nobody"), "no episode was made with the policy nobody"),
        (("--kind", "kto"), "the dataset would have no row"),
        (("--sign", "a.py"), "--sign is for --kind records"),
        (("--since", "sometime"), "neither a day"),
    ):
        done = run(home, "export", "set", *arguments)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_records_travel(home, recorded):
    done = run(home, "export", "bundle", "--kind", "records", "--harness", "line", "--json")
    assert (done.returncode, summary(done)["episodes"], summary(done)["signed"]) == (0, 2, False)
    unsaid = run(home, "import", "bundle", data="other")
    assert (unsaid.returncode, "--unsigned" in unsaid.stderr) == (2, True)
    assert not (home / "other").exists()
    taken = run(home, "import", "bundle", "--unsigned", data="other")
    assert (taken.returncode, "took in 2 episodes, unsigned" in taken.stdout) == (0, True)
    listed = run(home, "list", "--json", data="other")
    assert summary(listed) == {"event": "summary", "episodes": 2}
    again = run(home, "import", "bundle", "--unsigned", "--json", data="other")
    assert (summary(again)["episodes"], summary(again)["known"]) == (0, 2)


def test_nothing_recorded_is_nothing_to_export(home):
    done = run(home, "export", "set")
    assert (done.returncode, "nothing is recorded yet" in done.stderr) == (0, True)
    assert not (home / "work" / "set").exists()


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from click.testing import CliRunner; from suture_server.cli.journal import journal;"
        "assert CliRunner().invoke(journal, ['export', '--help']).exit_code == 0;"
        "heavy = {'pyarrow', 'datasets', 'torch', 'numpy', 'suture_training', 'zstandard', 'sqlite3'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
