"""From decisions in a journal to an adapter in the registry, and the next session's: the circle, with the smallest model."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import msgspec
import pytest

pytest.importorskip("trl")

from suture_agent.adapters.registry import Registry
from suture_agent.errors import AdapterError
from suture_agent.harness import Harness
from suture_agent.journal.kinds import DecisionKind
from suture_agent.journal.store import Journal
from suture_agent.models import CATALOGUE
from suture_agent.policies import ChatRequest, Message
from suture_agent.policies.scripted import Script, ScriptedHeader, ScriptedPolicy, ScriptedTurn
from suture_agent.record import JournalRecorder
from suture_training.adapters.base import base_for, name_of
from suture_training.checkpoint import open_checkpoint
from suture_training.command import command
from suture_training.data.identity import MixedIdentities
from suture_training.data.load import summary_of
from suture_training.errors import TrainingError
from suture_training.model import ModelSettings, base_digest
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
def decided(tmp_path, make_task, site, line_harness):
    """Have a function fixed, and decide about that; the journal."""
    path = tmp_path / "journal.sqlite3"
    policy = ScriptedPolicy(
        Script(header=ScriptedHeader(name="teacher", tools=False), turns=(ScriptedTurn(text="2: bad => good", repeat=0),))
    )

    async def decide(decisions: dict[int, DecisionKind], harness: Harness = line_harness) -> Path:
        kept = Journal.open(path, "full")
        recorder = JournalRecorder(kept, site.sandbox.environment, site.healthy.root)
        identity = await policy.start()
        for number, decision in decisions.items():
            rollout = await roll_out(await make_task(number), site, policy, harness)
            await recorder.problem(rollout.repair.problem)
            offer = await recorder.offer(await recorder.repair(rollout.repair, identity, harness), "notification")
            await recorder.seen(offer)
            await recorder.decide(offer, decision)
        recorder.end()
        kept.close()
        return path

    return decide


@pytest.fixture
async def journal(decided):
    """Six fixes: four of them accepted, two rejected."""
    return await decided({**dict.fromkeys(range(4), "accepted"), 4: "rejected", 5: "rejected"})


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
    assert (entry.data.digest, entry.varied) == (summary_of(tmp_path / "out" / "data").digest, ())
    assert (tmp_path / "out" / "adapter" / "adapter_model.safetensors").exists()
    assert any("loss" in line for line in said)


async def test_a_finished_run_answers_as_a_policy(journal, run_file, smallest, tmp_path):
    command("sft", run_file, tmp_path / "out", say=lambda _text: None, journal=journal)
    policy = open_checkpoint(f"checkpoint:{tmp_path / 'out'}")
    identity = await policy.start()
    assert (identity.name, identity.base) == ("out", base_digest(str(smallest)))
    assert identity.adapter == base_digest(str(tmp_path / "out" / "adapter"))
    request = ChatRequest(messages=(Message(role="user", content="a"),), max_tokens=2, temperature=0)
    trained = await policy.complete(request)
    await policy.close()
    of_folder = open_checkpoint(f"checkpoint:{tmp_path / 'out' / 'adapter'}")
    assert (await of_folder.complete(request)).choices == trained.choices
    await of_folder.close()
    (tmp_path / "out" / "done.json").unlink()
    with pytest.raises(TrainingError, match="is not finished"):
        open_checkpoint(f"checkpoint:{tmp_path / 'out'}")


async def test_decisions_become_an_adapter(journal, run_file, tmp_path):
    done = command("prefer", run_file, tmp_path / "out", say=lambda _text: None, journal=journal)
    assert (done["method"], done["rows"]) == ("prefer", 6)


async def test_what_differed_in_the_data_on_purpose_is_in_the_record_of_the_adapter(journal, decided, run_file, tmp_path, line_harness):
    budgets = msgspec.structs.replace(line_harness.budgets, steps=3)
    await decided({4: "accepted"}, msgspec.structs.replace(line_harness, budgets=budgets))
    with pytest.raises(MixedIdentities, match=r"budgets\.steps: 4 / 3"):
        command("sft", run_file, tmp_path / "refused", say=lambda _text: None, journal=journal)
    command("sft", run_file, tmp_path / "out", say=lambda _text: None, journal=journal, register="both", allowed=("harness.budgets",))
    assert Registry().find("both").varied == ("harness.budgets.steps",)
    done = command("sft", run_file, tmp_path / "one", say=lambda _text: None, journal=journal, harness=line_harness.identity[:8])
    assert done["rows"] == 4


async def test_a_refused_run_takes_the_decisions_that_were_made_since(decided, run_file, tmp_path):
    journal = await decided({0: "accepted", 1: "accepted"})
    for _ in range(2):
        with pytest.raises(TrainingError, match="0 rejected"):
            command("prefer", run_file, tmp_path / "out", say=lambda _text: None, journal=journal)
    await decided({2: "rejected"})
    assert command("prefer", run_file, tmp_path / "out", say=lambda _text: None, journal=journal)["rows"] == 3


async def test_a_finished_run_is_left_as_it_is(journal, decided, run_file, tmp_path):
    first = command("prefer", run_file, tmp_path / "out", say=lambda _text: None, journal=journal, register="once")
    await decided({0: "rejected"})
    said: list[str] = []
    again = command("prefer", run_file, tmp_path / "out", say=said.append, journal=journal, register="once")
    assert again == first
    assert any("for another run" in line for line in said)
    with pytest.raises(TrainingError, match="other parts of the journal"):
        command("prefer", run_file, tmp_path / "out", say=said.append, journal=journal, since=1.0)


async def test_an_adapter_is_of_the_model_that_servers_name(journal, run_file, smallest, tmp_path, monkeypatch):
    """Of a model on a hub, here in the hub's cache; with the forms of it that may serve."""
    snapshot = tmp_path / "hub" / "models--somebody--little" / "snapshots" / ("1" * 40)
    shutil.copytree(smallest, snapshot)
    (snapshot.parent.parent / "refs").mkdir()
    (snapshot.parent.parent / "refs" / "main").write_text(snapshot.name)
    (tmp_path / "little.gguf").write_bytes(b"quantised")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    model = ModelSettings(path="somebody/little", forms=(str(tmp_path / "little.gguf"), "qwen2.5-coder-0.5b", "a" * 64))
    base, kind = base_for(model)
    assert (base.name, kind) == ("somebody/little", "qwen3")
    assert base.forms == (hashlib.sha256(b"quantised").hexdigest(), CATALOGUE[1].sha256, "a" * 64)
    assert base.digest == base_for(ModelSettings(path=str(smallest)))[0].digest
    assert name_of(ModelSettings(path=str(smallest))) == smallest.name
    assert name_of(ModelSettings(path=str(smallest), name="served-so")) == "served-so"
    with pytest.raises(AdapterError, match="not on this machine"):
        base_for(ModelSettings(path="somebody/else"))


async def test_what_the_registry_would_refuse_is_refused_before_the_training(journal, run_file, tmp_path):
    command("sft", run_file, tmp_path / "out", say=lambda _text: None, journal=journal, register="taken")
    text = run_file.read_text()
    for name, told in (("Not a name", "cannot name"), ("taken", "another adapter named taken")):
        with pytest.raises((TrainingError, AdapterError), match=told):
            command("sft", run_file, tmp_path / "other", say=lambda _text: None, journal=journal, register=name)
    run_file.write_text(text.replace("[model]", '[model]\nforms = ["nowhere.gguf"]'))
    with pytest.raises(AdapterError, match=r"nowhere\.gguf"):
        command("sft", run_file, tmp_path / "other", say=lambda _text: None, journal=journal, register="formed")
    assert not (tmp_path / "other").exists()


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
