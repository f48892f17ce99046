"""GRPO over our rollouts: what is rewarded becomes likelier, a killed run goes on, a run that learns to cheat is stopped."""

from __future__ import annotations

import types

import pytest

pytest.importorskip("trl")

from suture_agent.meter import Turn, Usage
from suture_agent.policies import ChatRequest, Message
from suture_training import collect
from suture_training.collect import Group, Sample, read_groups
from suture_training.conversations import Trace
from suture_training.errors import TrainingError
from suture_training.learn.tiny import load
from suture_training.policy import LocalPolicy
from suture_training.rl import HackMonitor, HackRateExceeded, RLSettings, train_rl

pytestmark = pytest.mark.filterwarnings("ignore")  # what transformers, trl and torch warn about is theirs

SETTINGS = RLSettings(steps=12, groups=2, group_size=8, micro_batch=16, learning_rate=3e-3, longest=64, refills=0, checkpoint_every=4)


@pytest.fixture
def rewarded(monkeypatch):
    """Rollouts of one request; an answer whose first token has an even number is right."""

    async def roll_out(task, site, policy, harness, *, seed=0, recall=None):
        request = ChatRequest(messages=(Message(role="user", content=task.id),), temperature=1.0, max_tokens=3, seed=seed)
        done = await policy.complete(request)
        good = done.choices[0].token_ids[0] % 2 == 0
        repair = types.SimpleNamespace(
            outcome="fixed" if good else "unfixed",
            verdict=None,
            limit=None,
            reason="",
            turns=(Turn(request=request, completion=done),),
            usage=Usage(),
        )
        return types.SimpleNamespace(task=task, repair=repair, solved=good, seconds=0.0)

    monkeypatch.setattr(collect, "roll_out", roll_out)


TASKS = [types.SimpleNamespace(id=name, workspace="w") for name in ("first", "second", "third")]


def train(smallest, out, settings=SETTINGS, **changes):
    import msgspec

    model, tokenizer = load(smallest)
    policy = changes.pop("policy", None) or LocalPolicy(model, tokenizer, name="smallest")
    told: list[tuple[int, dict[str, float]]] = []
    train_rl(
        model,
        tokenizer,
        policy,
        TASKS,
        {"w": None},  # type: ignore[dict-item]  # the rollouts of these tests need no site
        None,  # type: ignore[arg-type]
        msgspec.structs.replace(settings, **changes),
        out,
        tell=lambda step, values: told.append((step, dict(values))),
    )
    return told


def rates(told) -> list[float]:
    return [values["solve_rate"] for _, values in told if "solve_rate" in values]


def test_what_is_rewarded_becomes_likelier(smallest, rewarded, tmp_path):
    told = train(smallest, tmp_path, steps=30, learning_rate=3e-2)
    solved = rates(told)
    assert sum(solved[-5:]) / 5 > sum(solved[:5]) / 5 + 0.2
    assert max(values["parity"] for _, values in told if "parity" in values) < 0.01
    assert any("loss" in values for _, values in told)


def test_a_run_goes_on_from_its_checkpoint_without_a_lost_or_doubled_rollout(smallest, rewarded, tmp_path, monkeypatch):
    class Killed(BaseException):
        pass

    whole = collect.Collector.step

    async def killed(self, step, count, told=lambda _group: None):
        made = await whole(self, step, count, told)
        if step == 6:
            raise Killed
        return made

    monkeypatch.setattr(collect.Collector, "step", killed)
    with pytest.raises(Killed):
        train(smallest, tmp_path)
    before = {(group.step, group.place): group for group in read_groups(tmp_path / "rollouts.jsonl")}
    assert max(step for step, _ in before) == 6
    monkeypatch.setattr(collect.Collector, "step", whole)
    told = train(smallest, tmp_path)
    assert min(step for step, values in told if "solve_rate" in values) == 4, "from the checkpoint after step 4"
    after = {(group.step, group.place): group for group in read_groups(tmp_path / "rollouts.jsonl")}
    assert len(after) == 12 * 2
    assert all(after[place] == group for place, group in before.items()), "what was made is used, not made again"


def test_weights_that_were_not_handed_over_are_noticed(smallest, rewarded, tmp_path):
    import torch

    other, tokenizer = load(smallest)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    with pytest.raises(TrainingError, match="differ from the trainer's by"):
        train(smallest, tmp_path, policy=LocalPolicy(other, tokenizer, name="stale"))


def group_of(*hacks: tuple[str, ...]) -> Group:
    trace = Trace(prompt_ids=(1,), completion_ids=(2,), logprobs=(-1.0,), env_mask=(1,))
    return Group(step=0, place=0, task="t", samples=tuple(Sample(seed=0, trace=trace, reward=0.0, hacks=each) for each in hacks))


def test_a_run_that_learns_to_cheat_is_stopped():
    monitor = HackMonitor(0.4, 4)
    monitor.told(group_of(("tests-edited",), ()))
    monitor.check()
    monitor.told(group_of(("tests-edited",), ()))
    assert monitor.rate == 0.5
    with pytest.raises(HackRateExceeded, match="50% of the last 4"):
        monitor.check()
    monitor.told(group_of((), (), ()))
    monitor.check()


def test_batches_that_do_not_fit_are_refused(smallest, rewarded, tmp_path):
    with pytest.raises(TrainingError, match="cannot be cut"):
        train(smallest, tmp_path, micro_batch=5)
