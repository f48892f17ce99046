"""THE path: what a repair comes to when it is fixed, refused, out of budget, cancelled, or let down by the machine."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import pytest

from suture_agent.events import StepDone, VerdictReached
from suture_agent.harness import Budgets, harness_for, prompt, worded
from suture_agent.policies import Completion, PolicyIdentity
from suture_agent.problem import problems_in
from suture_agent.recall import PastFix
from suture_agent.repair import repair
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.guard import GuardPolicy
from suture_sandbox.local import LocalBackend
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

BROKEN = {"a": "needs one.py right", "b": "pass"}


CONFIRMED = [("a",)] * 4
"""What a proof that holds costs more: three times without the patch, once under another hash seed (this sandbox cannot stall a program)."""


async def test_right_edit_is_proven_and_told_in_order(snapshot_of, problem_of, play, sandbox, harness, told, tools):
    problem = await problem_of(snapshot_of(BROKEN))
    policy = play.policy(play.edit("one.py", "right"), play.submit())
    tools.runs.clear()
    done = await repair(problem, policy, sandbox, harness, told)
    assert (done.outcome, done.reason) == ("fixed", "")
    assert [(edit.path, edit.after) for edit in done.patch.edits] == [("one.py", b"x = right\n")]
    assert done.verdict.passed
    assert done.verdict.fixed == ("tests::tests.txt::a",)
    assert told.names == ["policy", "edit_file", "policy", "VerdictReached"]
    assert [event.step for event in told.of(StepDone)] == [1, 1, 2]
    assert {event.problem for event in told.events} == {problem.id}
    assert tools.runs == [("a",), (), (), (), *CONFIRMED]
    assert (problem.snapshot.root / "one.py").read_text() == "x = wrong\n"


async def test_every_request_is_in_the_turns_and_in_the_usage(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    policy = play.policy(play.says("thinking aloud"), play.edit("one.py", "right"), play.submit())
    done = await repair(problem, policy, sandbox, harness, told)
    assert [turn.request for turn in done.turns] == policy.requests
    assert done.usage.steps == len(policy.requests) == 3
    assert done.usage.prompt_tokens == sum(turn.completion.prompt_tokens for turn in done.turns) > 0
    assert done.usage.completion_tokens == sum(turn.completion.completion_tokens for turn in done.turns) > 0
    assert 0 < done.usage.seconds_policy + done.usage.seconds_sandbox <= done.seconds


async def test_refused_submission_can_be_mended_in_the_same_episode(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    policy = play.policy(play.edit("one.py", "worse"), play.submit(), play.edit("one.py", "right", search="worse"), play.submit())
    done = await repair(problem, policy, sandbox, harness, told)
    assert done.outcome == "fixed"
    assert "not accepted: still failing: tests.txt::a" in policy.requests[2].messages[-1].content
    assert len(told.of(VerdictReached)) == 1


async def test_guard_refuses_an_edited_test_whatever_it_makes_pass(snapshot_of, problem_of, play, sandbox, harness, told, tools):
    root = snapshot_of(BROKEN).root
    (root / "test_own.py").write_text("def test():\n    assert 1 == wrong\n")
    problem = await problem_of(Snapshot(root))
    policy = play.policy(play.edit("test_own.py", "1"), play.edit("one.py", "right"), play.submit(repeat=0))
    tools.runs.clear()
    done = await repair(problem, policy, sandbox, harness, told)
    assert done.outcome == "unfixed"
    assert {finding.path for finding in done.verdict.guard} == {"test_own.py"}
    assert tools.runs == []
    assert told.names[-1] == "VerdictReached"
    allowed = msgspec.structs.replace(harness, guard_policy=GuardPolicy(allow_test_edits=True, protected=("one.py",)))
    policy = play.policy(play.edit("one.py", "right"), play.submit(repeat=0))
    done = await repair(problem, policy, sandbox, allowed, told)
    assert {finding.path for finding in done.verdict.guard} == {"one.py"}


async def test_fix_that_passes_only_sometimes_is_refused(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of({"a": "flaky"}, one="x = wrong\n"))
    done = await repair(problem, play.policy(play.edit("one.py", "right"), play.submit(repeat=0)), sandbox, harness, told)
    assert done.outcome == "unfixed"
    assert not done.verdict.passed
    assert done.patch.paths == ("one.py",)


async def test_harness_says_how_often_it_must_pass(snapshot_of, problem_of, play, sandbox, harness, told, tools):
    problem = await problem_of(snapshot_of(BROKEN))
    tools.runs.clear()
    patient = msgspec.structs.replace(harness, reruns=5)
    done = await repair(problem, play.policy(play.edit("one.py", "right"), play.submit()), sandbox, patient, told)
    assert done.verdict.reruns == 5
    assert tools.runs == [("a",), (), (), (), (), (), *CONFIRMED]


@pytest.mark.parametrize(
    ("budgets", "said"),
    [
        (Budgets(steps=1, tokens=1000), "1 requests to the policy are used up"),
        (Budgets(steps=9, tokens=1), "1 generated tokens are used up"),
    ],
)
async def test_spent_budget_is_unfixed_and_says_which(snapshot_of, problem_of, play, sandbox, harness, told, budgets, said):
    problem = await problem_of(snapshot_of(BROKEN))
    policy = play.policy(play.says("I wonder about this", repeat=0))
    done = await repair(problem, policy, sandbox, msgspec.structs.replace(harness, budgets=budgets), told)
    assert (done.outcome, done.reason) == ("unfixed", said)
    assert len(policy.requests) == 1
    assert told.of(VerdictReached) == []


async def test_edit_that_was_not_submitted_in_time_is_proven_all_the_same(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    short = msgspec.structs.replace(harness, budgets=Budgets(steps=1, tokens=1000))
    done = await repair(problem, play.policy(play.edit("one.py", "right")), sandbox, short, told)
    assert done.outcome == "fixed"


async def test_time_that_is_up_ends_the_request_and_is_unfixed(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    short = msgspec.structs.replace(harness, budgets=msgspec.structs.replace(harness.budgets, seconds=0))
    done = await repair(problem, play.policy(play.says("late", delay=60)), sandbox, short, told)
    assert (done.outcome, done.reason) == ("unfixed", "the budget of 0 s is spent")
    assert done.seconds < 10
    assert (done.patch, done.verdict, done.turns) == (None, None, ())


@pytest.mark.parametrize("error", ["429", "reset", "infrastructure", "refused"])
async def test_policy_that_fails_is_infrastructure(snapshot_of, problem_of, play, sandbox, harness, told, error):
    problem = await problem_of(snapshot_of(BROKEN))
    policy = play.policy(play.edit("one.py", "worse"), play.submit(), play.fails(error, message="it is the server"))
    done = await repair(problem, policy, sandbox, harness, told)
    assert (done.outcome, done.reason) == ("infrastructure", "it is the server")
    assert done.failed == ("" if error == "refused" else "policy")
    assert (done.patch, done.verdict) == (None, None)
    assert len(done.turns) == 2
    assert told.of(VerdictReached) == []


@pytest.mark.parametrize("pipeline", ["simplified", "full"])
async def test_sandbox_that_fails_while_it_proves_is_infrastructure(snapshot_of, problem_of, play, sandbox, harness, told, tools, pipeline):
    problem = await problem_of(snapshot_of(BROKEN))
    tools.breaks = lambda view: b"right" in view.read("one.py")
    policy = play.policy(play.edit("one.py", "right"), play.submit(), play.says("never asked", repeat=0))
    done = await repair(problem, policy, sandbox, msgspec.structs.replace(harness, pipeline=pipeline), told)
    assert (done.outcome, done.reason) == ("infrastructure", "the machine is on fire")
    assert done.failed == "machine"
    assert len(policy.requests) == 2
    assert done.usage.seconds_sandbox > 0


async def test_check_that_cannot_start_while_it_proves_is_infrastructure(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    sandbox.backend._programs.pop("linttool")
    done = await repair(problem, play.policy(play.edit("one.py", "right"), play.submit()), sandbox, harness, told)
    assert done.outcome == "infrastructure"
    assert done.reason == "lint: the command was not found inside the sandbox"


class Impatient:
    """A policy whose client lets a time-out of its own through."""

    def __init__(self, policy) -> None:
        self.capability = policy.capability

    async def start(self) -> PolicyIdentity:
        return PolicyIdentity(name="impatient")

    async def complete(self, request, on_text=None) -> Completion:
        raise TimeoutError("the socket timed out")

    async def close(self) -> None:
        pass


async def test_time_out_of_somebody_else_is_not_the_spent_budget(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    done = await repair(problem, Impatient(play.policy()), sandbox, harness, told)
    assert (done.outcome, done.reason) == ("infrastructure", "timed out: the socket timed out")


async def test_cancelling_ends_the_request(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    policy = play.policy(play.says("late", delay=600))
    task = asyncio.create_task(repair(problem, policy, sandbox, harness, told))
    await asyncio.sleep(0.05)
    assert len(policy.requests) == 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert told.of(VerdictReached) == []


async def test_cancelling_ends_the_attempt(snapshot_of, problem_of, play, sandbox, harness, told, tools):
    problem = await problem_of(snapshot_of(BROKEN))
    tools.hangs = lambda view: b"right" in view.read("one.py")
    policy = play.policy(play.edit("one.py", "right"), play.submit())
    task = asyncio.create_task(repair(problem, policy, sandbox, harness, told))
    await asyncio.wait_for(tools.hanging.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert len(asyncio.all_tasks()) == 1


async def test_text_that_moves_while_it_is_repaired_is_refused_not_overwritten(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))

    def meddle(event) -> None:
        told(event)
        if isinstance(event, StepDone) and event.tool == "edit_file":
            (problem.snapshot.root / "one.py").write_text("x = wrong\ny = mine\n")

    done = await repair(problem, play.policy(play.edit("one.py", "right"), play.submit(repeat=0)), sandbox, harness, meddle)
    assert done.outcome == "unfixed"
    assert done.verdict.reason == "one.py is not what the patch expects"


async def test_full_pipeline_starts_afresh_until_its_retries_are_used_up(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    full = msgspec.structs.replace(harness, pipeline="full", budgets=msgspec.structs.replace(harness.budgets, retries=2))
    wrong = (play.edit("one.py", "worse"), *(play.submit() for _ in range(5)))
    policy = play.policy(wrong, wrong, play.edit("one.py", "right"), play.submit())
    done = await repair(problem, policy, sandbox, full, told)
    assert done.outcome == "fixed"
    firsts = [request for request in policy.requests if len(request.messages) == 2]
    assert [request.seed for request in firsts] == [0, 1, 2]
    assert [request.temperature for request in firsts] == [0.0, 0.8, 0.8]
    assert done.usage.steps == len(policy.requests) == 14
    policy = play.policy(wrong, wrong, wrong, play.says("never asked"))
    assert (await repair(problem, policy, sandbox, full, told)).outcome == "unfixed"
    assert len(policy.requests) == 18


async def test_recall_reaches_the_policy(snapshot_of, problem_of, play, sandbox, harness, told):
    asked: list[str] = []

    async def remember(query: str, limit: int = 3) -> tuple[PastFix, ...]:
        asked.append(query)
        return (PastFix(failure="it was red", diff="+ green"),)

    problem = await problem_of(snapshot_of(BROKEN))
    turn = play.calls("recall", query="assert 1 == 2")
    policy = play.policy(turn, play.edit("one.py", "right"), play.submit())
    await repair(problem, policy, sandbox, harness, told, recall=remember)
    assert asked == ["assert 1 == 2"]
    assert policy.requests[1].messages[-1].content == "it was red\nwas fixed by:\n+ green"
    policy = play.policy(turn, play.edit("one.py", "right"), play.submit())
    await repair(problem, policy, sandbox, harness, told)
    assert policy.requests[1].messages[-1].content == "nothing similar was fixed before"


@pytest.mark.parametrize("tools", [False, True])
async def test_real_sandbox_proves_what_a_scripted_policy_writes(tmp_path, play, told, tools):
    (tmp_path / "cart.py").write_text("def total(prices):\n    return str(prices)\n")
    test = "from cart import total\n\n\ndef test_two():\n    assert total([1, 2]) == 3\n\n\ndef test_none():\n    total([])\n"
    (tmp_path / "test_cart.py").write_text(test)
    command = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml={report}")
    check = Check(name="tests", kind="tests", command=command, report="pytest", selectable=True, tool="pytest")
    runtime = Runtime(python=sys.executable, search_path=(f"{sys.prefix}/bin",), readonly=(sys.prefix, sys.base_prefix))
    limits = Limits(seconds=60, memory_mib=512)
    sandbox = Sandbox(LocalBackend(), Environment(EnvironmentFields(checks={"tests": check}), runtime, limits))
    snapshot = Snapshot(tmp_path)
    (problem,) = problems_in(snapshot, await sandbox.check_all(snapshot))
    if tools:
        policy = play.policy(play.edit("cart.py", "sum(prices)", search="str(prices)"), play.submit())
    else:
        policy = play.policy(play.says("    return sum(prices)\n", repeat=0), tools=False)
    done = await repair(problem, policy, sandbox, harness_for(policy.capability), told)
    await sandbox.close()
    assert done.outcome == "fixed", done.reason
    assert done.patch.edits[0].after == b"def total(prices):\n    return sum(prices)\n"
    assert done.verdict.reruns == 3
    assert done.usage.seconds_sandbox > 0
    assert (tmp_path / "cart.py").read_text().endswith("str(prices)\n")


async def test_what_the_guard_refused_on_the_way_is_told_although_the_end_is_good(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    policy = play.policy(
        play.edit("one.py", "right  # noqa"), play.submit(), play.edit("one.py", "right", search="right  # noqa"), play.submit()
    )
    done = await repair(problem, policy, sandbox, harness, told)
    assert done.outcome == "fixed"
    assert set(done.refused) == {"suppressions-comment"}
    assert done.verdict.guard == ()


async def test_the_policy_has_the_tools_and_the_wording_that_the_harness_names(snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of(BROKEN))
    fewer = {name: digest for name, digest in harness.tools.items() if name != "run_shell"}
    changed = worded(msgspec.structs.replace(harness, tools=fewer), "plain")
    policy = play.policy(play.calls("run_shell", command="true"), play.edit("one.py", "right"), play.submit())
    done = await repair(problem, policy, sandbox, changed, told)
    assert done.outcome == "fixed"
    first, second = policy.requests[:2]
    assert [tool.name for tool in first.tools] == list(fewer)
    assert first.messages[0].content == prompt("agent_system.plain").strip()
    assert second.messages[-1].content.startswith("error: there is no tool 'run_shell'")
