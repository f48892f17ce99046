"""Collecting: groups with variance first, replacements, a log from which a killed run goes on without a lost or doubled rollout."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.policies import Choice, Completion
from suture_agent.policies.scripted import Script, ScriptedPolicy, ScriptedTurn
from suture_training.collect import Collector, Log, read_groups
from suture_training.curriculum import Curriculum
from suture_training.errors import TrainingError


class Telling(ScriptedPolicy):
    """A scripted policy that tells tokens: right by the seed's parity for some tasks, always or never for others."""

    asked = 0

    async def complete(self, request, on_text=None):
        self.asked += 1
        shown = request.messages[-1].content
        kind = next(number for number in range(6) if f"part{number}" in shown) % 3
        good = kind == 0 or (kind == 1 and request.seed % 2 == 0)
        text = "2: bad => good" if good else "2: bad => worse bad"
        return Completion(choices=(Choice(text=text, token_ids=(7, 8), logprobs=(-0.5, -0.1)),), prompt_ids=(1, 2, 3))


@pytest.fixture
def policy():
    return Telling(Script(turns=(ScriptedTurn(text="x"),)))


@pytest.fixture
async def tasks(make_task):
    return [await make_task(number) for number in range(6)]


@pytest.fixture
def collector(tasks, site, policy, line_harness, tmp_path):
    logs: list[Log] = []

    def make(*, checkpoint: int = -1, refills: int = 1) -> Collector:
        harness = msgspec.structs.replace(line_harness, budgets=msgspec.structs.replace(line_harness.budgets, steps=1))
        for log in logs:
            log.close()
        log = Log(tmp_path / "rollouts.jsonl", checkpoint=checkpoint)
        logs.append(log)
        return Collector(
            tasks,
            {"w": site},
            policy,
            harness,
            log,
            curriculum=Curriculum([task.id for task in tasks], flat=True),
            group_size=4,
            parallel=8,
            refills=refills,
        )

    yield make
    for log in logs:
        log.close()


async def test_groups_without_variance_are_replaced(collector):
    told = []
    groups = await collector(refills=3).step(0, 2, told.append)
    assert [group.teaches for group in groups] == [True, True]
    assert all(group.solved == 2 and group.scored == 4 for group in groups)
    assert len(told) >= 2
    assert len({group.task for group in told}) == len(told), "no task twice in a step"


async def test_what_cannot_be_replaced_is_taken_as_it_is(collector):
    groups = await collector(refills=0).step(1, 6)
    assert sorted(group.teaches for group in groups) == [False] * 4 + [True] * 2
    assert groups[0].teaches
    with pytest.raises(TrainingError, match="too few"):
        await collector(refills=0).step(2, 7)


async def test_a_killed_run_uses_what_was_made_and_makes_the_rest(collector, policy, tmp_path):
    first = collector()
    made = [await first.step(step, 3) for step in range(3)]
    asked = policy.asked
    path = tmp_path / "rollouts.jsonl"
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:-20])  # the last group was cut off while it was written

    again = collector(checkpoint=0)  # the weights after step 0 are kept
    repeated = [await again.step(step, 3) for step in (1, 2)]
    assert policy.asked - asked == 4, "only the group that was cut off is run again"
    assert [[group.task for group in step] for step in repeated] == [[group.task for group in step] for step in made[1:]]
    kept = read_groups(path)
    assert len({(group.step, group.place) for group in kept}) == len(kept)
    assert sorted(sample.seed for group in kept for sample in group.samples) == sorted(
        {sample.seed for group in kept for sample in group.samples}
    )


async def test_what_was_learnt_of_the_tasks_is_learnt_again(collector):
    first = collector()
    await first.step(0, 6)
    again = collector(checkpoint=0)
    for task in (group.task for group in again._log.done):
        assert again.curriculum.rate(task) == first.curriculum.rate(task)
