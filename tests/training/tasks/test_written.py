"""Bugs that a policy writes: what it is asked, what is taken from its answers, and what is no candidate."""

from __future__ import annotations

import pytest
from tasks_shop import SHOP

from suture_agent.errors import PolicyError
from suture_agent.policies import PolicyIdentity
from suture_agent.policies.scripted import Script, ScriptedHeader, ScriptedPolicy, ScriptedTurn
from suture_training.tasks.archive import File
from suture_training.tasks.candidate import Dropped
from suture_training.tasks.coverage import Coverage
from suture_training.tasks.verify import Rules, verified
from suture_training.tasks.written import Written, without_new_comments

FILES = {"shop.py": File(SHOP.encode()), "test_shop.py": File(b"def test():\n    assert True\n    assert True\n")}
LARGEST = "    if not prices:\n        return None\n    return max(prices)  # wrong on purpose\n"
IDENTITY = PolicyIdentity(name="somebody")


def policy(*turns: ScriptedTurn, prefill: bool = True) -> ScriptedPolicy:
    return ScriptedPolicy(Script(header=ScriptedHeader(name="somebody", tools=False, prefill=prefill), turns=turns))


def written(asked: ScriptedPolicy, *, seed: int = 0, coverage: Coverage | None = None) -> Written:
    return Written(FILES, asked, IDENTITY, coverage or Coverage({}), check="tests", seed=seed, repository="shop", time="2024")


async def first(source: Written):
    """The first candidate; the script answers for one function only."""
    async for proposal in source.proposals():
        try:
            return await proposal.make()
        except PolicyError:
            continue
    raise AssertionError("no function was asked for")


async def test_a_function_is_written_anew_with_a_mistake(ground_of):
    asked = policy(ScriptedTurn(match="def cheapest", text=LARGEST))
    candidate = await first(written(asked))
    assert candidate.broken[0].text == SHOP.replace("return min(prices)", "return max(prices)")
    assert candidate.gold[0].text == SHOP
    assert (candidate.origin.kind, candidate.origin.name, candidate.kind) == ("written", "somebody", "tests")
    task = await verified(candidate, await ground_of(), Rules(runs=1))
    assert task.proof.good


async def test_the_policy_is_shown_one_function_and_begins_with_its_signature():
    asked = policy(ScriptedTurn(match="def cheapest", text=LARGEST))
    await first(written(asked))
    request = next(each for each in asked.requests if "def cheapest" in each.messages[-1].content)
    assert request.prefill == '```python\ndef cheapest(prices):\n    """The lowest price, None of nothing."""\n'
    assert "def total" not in request.messages[-1].content
    assert request.temperature > 0
    plain = policy(
        ScriptedTurn(match="def cheapest", text=f"Here:\n```python\ndef cheapest(prices):\n{LARGEST}```\nIt is wrong."), prefill=False
    )
    candidate = await first(written(plain))
    assert "return max(prices)\n" in (candidate.broken[0].text or "")
    assert plain.requests[0].prefill == ""


async def test_every_function_is_asked_for_before_any_twice():
    keys = [proposal.key async for proposal in written(policy()).proposals()]
    assert len(keys) == len(set(keys)) == 12
    again = [proposal.key async for proposal in written(policy()).proposals()]
    assert keys == again
    assert keys != [proposal.key async for proposal in written(policy(), seed=1).proposals()]


@pytest.mark.parametrize(
    "answer", ["    return min(prices\n", "    if not prices:\n        return None\n    return min(prices)\n", "\n", "    # nothing\n"]
)
async def test_an_answer_that_is_no_other_version_of_the_function_is_unusable(answer):
    asked = policy(ScriptedTurn(match="def cheapest", text=answer, repeat=0))
    with pytest.raises(Dropped) as dropped:
        await first(written(asked))
    assert dropped.value.why == "unusable"


async def test_a_policy_that_does_not_answer_is_not_the_candidates_fault():
    proposals = [proposal async for proposal in written(policy(ScriptedTurn(error="infrastructure"))).proposals()]
    with pytest.raises(PolicyError):
        await proposals[0].make()


def test_comments_that_tell_are_taken_out_and_others_stay():
    known = "def f(a):\n    # add\n    return a + 1\n"
    new = "def f(a):\n    # add\n    # off by one here\n    x = '# text'  # wrong\n    return a + 2\n"
    assert without_new_comments(new, known) == "def f(a):\n    # add\n    x = '# text'\n    return a + 2\n"
    assert without_new_comments("def f(:\n  ((", known) == "def f(:\n  (("
