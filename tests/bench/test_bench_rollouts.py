"""The bench of rollouts: what it counts. The bench itself takes minutes, and needs the training libraries for TRL's side."""

from __future__ import annotations

import asyncio

import pytest

from suture_agent.errors import PolicyRefused
from suture_agent.policies import ChatRequest, Message


def a_round(rollouts, **changed):
    spell = {"wall": 10.0, "own": 9.0, "busy": 19.0, "idle": 1.0, "taken": 19.0, **changed}
    return rollouts.rollout_worker.Round(rollouts=30, solved=20, failed=0, spell=rollouts.rollout_ground.Spell(**spell))


def test_rates_and_shares_are_medians_over_the_rounds(rollouts):
    rounds = [a_round(rollouts), a_round(rollouts, wall=20.0, taken=19.0), a_round(rollouts)]
    found = rollouts.bench_rollouts.figures(rounds, 2)
    assert found["per_second"] == 3.0
    assert found["per_second_of_rounds"] == [3.0, 1.5, 3.0]
    assert found["slots_in_use"] == 0.95
    assert found["busy_of_what_others_left"] == 0.9
    assert found["others"] == 0.5
    assert found["solved"] == 60


async def test_slots_count_for_how_long_they_are_taken(rollouts):
    slots = rollouts.rollout_ground.CountedSlots(2)

    async def work() -> None:
        async with slots.taken("training"):
            await asyncio.sleep(0.1)

    await asyncio.gather(work(), work(), work())
    taken = slots.seconds()
    assert taken >= 0.3
    await asyncio.sleep(0.05)
    assert slots.seconds() == taken, "nothing runs any more"


async def test_the_policy_answers_what_it_was_told_and_remembers_what_it_was_not(rollouts):
    policy = rollouts.rollout_ground.Told()

    def request(seed: int) -> ChatRequest:
        return ChatRequest(messages=(Message(role="system", content="s"), Message(role="user", content="broken")), seed=seed)

    with pytest.raises(PolicyRefused):
        await policy.complete(request(0))
    assert policy.heard == "broken"
    policy.answers["broken"] = ("right", "wrong")
    texts = [(await policy.complete(request(seed))).choices[0].text for seed in range(4)]
    assert texts == ["right", "right", "right", "wrong"]


def test_a_control_group_is_gone_afterwards_or_was_never_there(rollouts):
    with rollouts.bench_rollouts.control_group("test") as folder:
        assert folder is None or folder.is_dir()
    assert folder is None or not folder.exists()
