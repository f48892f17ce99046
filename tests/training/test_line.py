"""The `line` episode: answers of one piece of one line, carried out, refused or answered with what was wrong."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.policies.scripted import Script, ScriptedPolicy, ScriptedTurn
from suture_training.rollout import roll_out


@pytest.fixture
def play(make_task, site, line_harness):
    async def play(*answers: str, steps: int = 4):
        policy = ScriptedPolicy(Script(turns=tuple(ScriptedTurn(text=answer) for answer in answers)))
        budgets = msgspec.structs.replace(line_harness.budgets, steps=steps)
        harness = msgspec.structs.replace(line_harness, budgets=budgets)
        return await roll_out(await make_task(2), site, policy, harness), policy

    return play


async def test_an_answer_mends_the_line(play):
    rollout, policy = await play("2: bad => good")
    assert rollout.solved is True
    (edit,) = rollout.repair.patch.edits
    assert edit.after.decode().count("good") == 6
    shown = policy.requests[0].messages[-1].content
    assert shown == "return bad + 2\nbad word\n1 def part2(x):\n2     return bad + 2"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("good", "error: write NUMBER: OLD => NEW"),
        ("9: bad => good", "error: there is no line 9"),
        ("2: nothing => good", "error: line 2 has it 0 times"),
        ("1: x => good", "refused: "),
        ("2: bad => bad", "error: it changes nothing"),
    ],
)
async def test_what_cannot_be_carried_out_is_answered_and_may_be_tried_again(play, answer, told):
    rollout, policy = await play(answer, "2: bad => good")
    assert rollout.solved is True
    assert policy.requests[1].messages[-2].content == answer
    assert policy.requests[1].messages[-1].content.startswith(told)


async def test_the_last_step_is_the_last(play):
    rollout, policy = await play("nonsense", "2: bad => good", steps=1)
    assert rollout.solved is False
    assert rollout.repair.limit == "steps"
    assert len(policy.requests) == 1


async def test_a_policy_that_fails_is_no_failed_repair(play):
    rollout, _ = await play()  # the script has no turn at all
    assert rollout.solved is None


async def test_repetitions_differ_by_their_seeds_under_one_identity(make_task, site, line_harness):
    task, policy = await make_task(1), ScriptedPolicy(Script(turns=(ScriptedTurn(text="2: bad => good", repeat=0),)))
    first, second = [await roll_out(task, site, policy, line_harness, seed=seed) for seed in (1, 2)]
    assert [request.seed for request in policy.requests] == [1, 2]
    assert first.harness == second.harness
