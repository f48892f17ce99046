"""From decisions in a journal to an adapter in the registry, and the next session's: the circle, with the smallest model."""

from __future__ import annotations

import pytest

pytest.importorskip("trl")

from suture_agent.adapters.registry import Registry
from suture_agent.journal.store import Journal
from suture_agent.policies.scripted import Script, ScriptedHeader, ScriptedPolicy, ScriptedTurn
from suture_agent.record import JournalRecorder
from suture_training.command import command
from suture_training.errors import TrainingError
from suture_training.rollout import roll_out

pytestmark = pytest.mark.filterwarnings("ignore")  # what transformers, trl and torch warn about is theirs

RUN = """
[model]
path = "{model}"
[model.lora]
rank = 2
alpha = 4
targets = ["q_proj", "v_proj"]
[sft]
steps = 5
batch = 2
micro_batch = 2
learning_rate = 1e-3
[prefer]
steps = 2
batch = 2
micro_batch = 2
learning_rate = 1e-3
"""


@pytest.fixture
async def journal(tmp_path, make_task, site, line_harness):
    """Six fixes: four of them accepted, two rejected."""
    path = tmp_path / "journal.sqlite3"
    kept = Journal.open(path, "full")
    recorder = JournalRecorder(kept, site.sandbox.environment, site.healthy.root)
    policy = ScriptedPolicy(
        Script(header=ScriptedHeader(name="teacher", tools=False), turns=(ScriptedTurn(text="2: bad => good", repeat=0),))
    )
    identity = await policy.start()
    for number in range(6):
        rollout = await roll_out(await make_task(number), site, policy, line_harness)
        await recorder.problem(rollout.repair.problem)
        episode = await recorder.repair(rollout.repair, identity, line_harness)
        offer = await recorder.offer(episode, "notification")
        await recorder.seen(offer)
        await recorder.decide(offer, "accepted" if number < 4 else "rejected")
    recorder.end()
    kept.close()
    return path


@pytest.fixture
def run_file(tmp_path, smallest):
    path = tmp_path / "run.toml"
    path.write_text(RUN.format(model=smallest))
    return path


@pytest.fixture(autouse=True)
def own_registry(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))


async def test_proven_fixes_become_an_adapter_with_the_identity_of_their_making(journal, run_file, tmp_path, site, line_harness):
    said: list[str] = []
    done = command("sft", run_file, tmp_path / "out", say=said.append, journal=journal, register="first")
    assert (done["kind"], done["rows"]) == ("adapter", 4), "what a person rejected is no lesson"
    entry = Registry().find("first")
    assert entry.digest == done["adapter"]
    assert entry.environment.digest == site.sandbox.environment.identity
    assert entry.harness.digest == line_harness.identity
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").exists()
    assert any("loss" in line for line in said)


async def test_decisions_become_an_adapter(journal, run_file, tmp_path):
    done = command("prefer", run_file, tmp_path / "out", say=lambda _text: None, journal=journal)
    assert (done["method"], done["rows"]) == ("prefer", 6)


async def test_a_run_with_other_settings_is_not_gone_on_with(journal, run_file, tmp_path):
    command("sft", run_file, tmp_path / "out", say=lambda _text: None, journal=journal)
    run_file.write_text(run_file.read_text().replace("1e-3", "1e-4"))
    with pytest.raises(TrainingError, match="other settings"):
        command("sft", run_file, tmp_path / "out", say=lambda _text: None, journal=journal)


async def test_what_cannot_be_done_is_told_before_anything_is_made(journal, run_file, tmp_path):
    with pytest.raises(TrainingError, match="needs tasks"):
        command("rl", run_file, tmp_path / "out", say=lambda _text: None, journal=journal)
    with pytest.raises(TrainingError, match="names no data"):
        command("sft", run_file, tmp_path / "out", say=lambda _text: None)
    run_file.write_text(run_file.read_text().replace("[model.lora]", "[model.rola]"))
    with pytest.raises(TrainingError, match="rola"):
        command("sft", run_file, tmp_path / "other", say=lambda _text: None)
    assert not (tmp_path / "other").exists()
