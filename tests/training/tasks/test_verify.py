"""Verification: what becomes a task, what a task says, and why everything else is dropped."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tasks_shop import SHOP

from suture_sandbox.errors import InfrastructureError
from suture_training.tasks.candidate import Candidate, Dropped
from suture_training.tasks.task import Edit, Origin, task_id
from suture_training.tasks.verify import Rules, verified, verify_again

RULES = Rules(runs=2)


def candidate(old: str, new: str, *, kind="tests", gold: str = SHOP, path: str = "shop.py") -> Candidate:
    assert old in SHOP
    broken = SHOP.replace(old, new)
    return Candidate(
        origin=Origin(kind="mutation", repository="shop", name="compare"),
        broken=(Edit(path=path, text=broken),),
        gold=(Edit(path=path, text=gold),),
        kind=kind,
    )


async def why(ground, made: Candidate, rules: Rules = RULES) -> str:
    with pytest.raises(Dropped) as dropped:
        await verified(made, ground, rules)
    return dropped.value.why


async def test_a_task_says_what_fails_what_mends_it_and_how_often_that_was_seen(ground_of):
    ground = await ground_of()
    made = candidate("return min(prices)", "return max(prices)")
    task = await verified(made, ground, RULES)
    assert task.id == task_id(ground.workspace, made.broken, "tests")
    assert [finding.test for finding in task.findings] == ["tests.txt::test_cheapest"]
    assert [result.check for result in task.results] == ["lint", "types", "tests"]
    assert task.environment == ground.site.sandbox.environment.identity
    assert msgspec.structs.asdict(task.difficulty) == {"lines": 2, "hunks": 1, "files": 1, "failing": 1, "passing": 4}
    proof = task.proof
    assert (proof.runs, proof.failed, proof.mended, proof.unchanged, proof.good) == (2, 2, 2, 0, True)
    assert msgspec.json.decode(msgspec.json.encode(task), type=type(task)) == task


async def test_a_task_is_the_problem_that_a_repair_begins_with(ground_of):
    ground = await ground_of()
    task = await verified(candidate("return min(prices)", "return max(prices)"), ground, RULES)
    problem = ground.site.problem(task)
    assert problem.before == task.results
    assert b"max(prices)" in (problem.snapshot.read("shop.py") or b"")


async def test_the_largest_of_several_problems_is_the_target(ground_of):
    """`suture fix` works on one of them at a time; what the others say is in the cached results."""
    ground = await ground_of(tests_txt="test_a: total([1]) == 1\ntest_b: total([2]) == 2\ntest_c: cheapest([1]) == 1\n")
    task = await verified(candidate("result += price", "result -= price"), ground, RULES)
    assert task.difficulty.failing == 2
    assert {finding.test for finding in task.findings} <= {"tests.txt::test_a", "tests.txt::test_b"}


async def test_what_no_check_notices_is_dropped(ground_of):
    ground = await ground_of()
    assert await why(ground, candidate('"""A shop."""', '"""A shop!"""')) == "survived"
    assert (
        await why(ground, candidate("def total", "x = 'wrong_type'\n\n\ndef total")) == "survived"
    )  # the tests are to notice, not the types


async def test_another_kind_of_check_may_be_the_one_that_notices(ground_of):
    ground = await ground_of()
    for word, check in (("wrong_type", "types"), ("bad_style", "lint")):
        task = await verified(candidate("def total", f"x = '{word}'\n\n\ndef total", kind=check), ground, RULES)
        assert (task.check, task.proof.good) == (check, True)
    task = await verified(candidate("return min(prices)", "return max(prices)  # wrong_type", kind=None), ground, RULES)
    assert task.check == "tests"


async def test_what_the_healthy_text_fails_is_nobodys_task(ground_of):
    ground = await ground_of(
        tests_txt="test_cheapest: cheapest([3, 1]) == 1\ntest_wrong: cheapest([3, 1]) == 7\ntest_total: total([1]) == 1\n"
    )
    assert await why(ground, candidate('"""A shop."""', '"""A shop!"""')) == "survived"
    task = await verified(candidate("return min(prices)", "return max(prices)"), ground, RULES)
    assert [finding.test for finding in task.findings] == ["tests.txt::test_cheapest"]
    assert task.difficulty.failing == 1


async def test_tests_that_flip_on_the_healthy_text_are_in_no_task(ground_of):
    ground = await ground_of(tests_txt="flaky_total: total([1]) == 1\ntest_cheapest: cheapest([3, 1]) == 1\n")
    assert ground.site.flaky == {"tests": ("tests.txt::flaky_total",)}
    assert await why(ground, candidate("result += price", "result -= price")) == "survived"
    task = await verified(candidate("return min(prices)", "return max(prices)"), ground, RULES)
    assert ground.site.problem(task).flaky == ground.site.flaky
    assert ground.site.problem(task, flaky={}).flaky == {}


async def test_a_failure_has_to_show_every_time(ground_of, tools):
    ground = await ground_of()
    held = tools._holds

    def sometimes(name, text, names):
        return held(name, text, names) or (name == "test_cheapest" and tools.runs["tests"] % 2 == 0)

    tools._holds = sometimes
    assert await why(ground, candidate("return min(prices)", "return max(prices)"), Rules(runs=4)) == "flaky"


async def test_a_test_that_fails_only_among_the_others_is_shown_by_the_whole_check(ground_of, tools):
    ground = await ground_of()
    run, alone = tools.test, []

    async def together(view, argv):
        alone.append(len(argv) > 1)
        return await run(view, argv)

    held = tools._holds
    tools._holds = lambda name, text, names: held(name, text, names) or (name == "test_cheapest" and alone[-1])
    ground.site.sandbox.backend._programs["testtool"] = together
    task = await verified(candidate("return min(prices)", "return max(prices)"), ground, Rules(runs=3))
    assert task.proof.good
    assert alone[:4] == [False, True, False, False]


async def test_a_mend_has_to_mend(ground_of):
    ground = await ground_of()
    wrong = candidate("return min(prices)", "return max(prices)", gold=SHOP.replace("return min(prices)", "return sum(prices)"))
    assert await why(ground, wrong) == "unmended"


async def test_a_mend_that_the_guard_refuses_is_no_mend(ground_of):
    ground = await ground_of()
    special = SHOP.replace("return min(prices)", "if prices == [3, 1]:\n        return 1\n    return max(prices)")
    assert await why(ground, candidate("return min(prices)", "return max(prices)", gold=special)) == "guard"


async def test_what_is_not_broken_is_unusable(ground_of):
    assert await why(await ground_of(), candidate("return min(prices)", "return min(prices)")) == "unusable"


async def test_a_check_that_takes_too_long_is_filtered(ground_of, tools):
    ground = await ground_of()
    run = tools.test

    async def slowly(view, argv):
        await asyncio.sleep(1.05)
        return await run(view, argv)

    ground.site.sandbox.backend._programs["testtool"] = slowly
    assert await why(ground, candidate("return min(prices)", "return max(prices)"), Rules(runs=1, below=1)) == "slow"


async def test_a_machine_that_fails_says_nothing_about_the_candidate(ground_of, tools):
    ground = await ground_of()
    tools.breaks = lambda view: b"max(prices)" in view.read("shop.py")
    with pytest.raises(InfrastructureError, match="on fire"):
        await verified(candidate("return min(prices)", "return max(prices)"), ground, RULES)


async def test_a_mend_that_runs_out_of_time_is_the_machines_fault(ground_of, tools):
    """It is the healthy text, and that ended before."""
    ground = await ground_of()
    run = tools.test

    async def stalls(view, argv):
        if b"max(prices)" not in view.read("shop.py"):
            raise TimeoutError
        return await run(view, argv)

    ground.site.sandbox.backend._programs["testtool"] = stalls
    with pytest.raises(InfrastructureError, match="too busy"):
        await verified(candidate("return min(prices)", "return max(prices)"), ground, RULES)


async def test_a_task_is_verified_anew_by_the_same_rules(ground_of):
    ground = await ground_of()
    task = await verified(candidate("return min(prices)", "return max(prices)"), ground, RULES)
    shown = await verify_again(task, ground.site, Rules(runs=3))
    assert shown.why is None
    assert (shown.proof.runs, shown.proof.good) == (3, True)
    (ground.site.healthy.root / "tests.txt").write_text("test_cheapest: True\n")
    assert (await verify_again(task, ground.site, RULES)).why == "flaky"


def test_a_verdict_in_a_proof_is_that_of_a_repair():
    harness = Rules(runs=5).harness
    assert (harness.reruns, harness.controls, harness.shaken) == (5, 1, 1)
