"""Problems in work side by side: fixes are taken one after the other, and each is proven on top of those before it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from suture_agent.batch import Options, fix_workspace
from suture_agent.events import ProblemDropped, RepairDone, VerdictReached
from suture_agent.policies import ChatRequest, Completion, OnText
from suture_agent.policies.scripted import ScriptedPolicy

APART = {"a": "needs one.py right", "b": "needs two.py right"}
SAME_LINE = {"a": "needs one.py a", "b": "needs one.py b"}


class Meeting(ScriptedPolicy):
    """Answers the first requests of that many episodes only once all of them have come; then those of the next so many."""

    def __init__(self, policy: ScriptedPolicy, *rounds: int) -> None:
        super().__init__(policy.script)
        self._waits = iter([barrier for count in rounds for barrier in [asyncio.Barrier(count)] * count])

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        if all(message.role != "assistant" for message in request.messages) and (barrier := next(self._waits, None)) is not None:
            async with asyncio.timeout(5):
                await barrier.wait()
        return await super().complete(request, on_text)


@pytest.fixture
def fix(sandbox, kept, told):
    async def run(snapshot, policy, jobs: int, **options):
        recorder = kept.recorder(sandbox, snapshot)
        return await fix_workspace(snapshot, sandbox, policy, recorder, told, Options(jobs=jobs, **options), recall=recorder.recall)

    return run


def outcomes(told) -> Sequence[str]:
    return sorted(event.outcome for event in told.of(RepairDone))


async def test_they_are_in_work_at_once_and_the_second_is_proven_on_top_of_the_first(snapshot_of, play, fix, told, sandbox):
    snapshot = snapshot_of(APART)
    policy = Meeting(play.policy(play.mends("a", "one.py"), play.mends("b", "two.py")), 2)
    summary = await fix(snapshot, policy, 2, apply=True)
    assert (summary.fixed, summary.unfixed) == (2, 0)
    assert len(told.of(VerdictReached)) == 3  # two alone, and one on top
    assert [event.patch[: len(".suture/patches/00")] for event in told.of(RepairDone)] == [".suture/patches/01", ".suture/patches/02"]
    assert all(result.passed for result in await sandbox.check_all(snapshot))


async def test_a_fix_that_does_not_go_with_another_one_is_made_anew_on_top_of_it(snapshot_of, play, fix, told, kept):
    snapshot = snapshot_of(SAME_LINE)
    policy = Meeting(play.policy(*(2 * play.mends(each, "one.py", f"{each} wrong") for each in "ab")), 2)
    summary = await fix(snapshot, policy, 2, apply=True)
    assert (summary.problems, summary.fixed) == (2, 2)
    assert sorted((snapshot.root / "one.py").read_text().split()) == ["=", "a", "b", "wrong", "x"]
    assert [outcome for _, outcome in kept.outcomes] == ["fixed"] * 3  # what was proven is recorded, taken or not


async def test_the_second_time_is_the_last(snapshot_of, play, fix, told):
    snapshot = snapshot_of({**SAME_LINE, "c": "needs one.py c"})
    turns = (2 * play.mends(each, "one.py", f"{each} wrong") for each in "abc")
    summary = await fix(snapshot, Meeting(play.policy(*turns), 3, 2), 3)
    assert (summary.fixed, summary.unfixed) == (2, 1)
    (lost,) = [event for event in told.of(RepairDone) if event.outcome == "unfixed"]
    assert lost.reason.startswith("proven alone, but not on top of the other fixes: ")


async def test_what_another_fix_mended_meanwhile_is_dropped(snapshot_of, play, fix, told):
    snapshot = snapshot_of({"a": "needs one.py right", "b": "needs one.py right"})
    summary = await fix(snapshot, Meeting(play.policy(play.mends("a", "one.py"), play.mends("b", "one.py")), 2), 2)
    assert (summary.problems, summary.fixed) == (1, 1)
    (dropped,) = told.of(ProblemDropped)
    assert dropped.reason == "an earlier fix mended it too"


async def test_more_jobs_than_problems_do_no_harm(snapshot_of, play, fix):
    assert (await fix(snapshot_of(APART), play.policy(play.mends("a", "one.py"), play.mends("b", "two.py")), 8)).fixed == 2


async def test_an_error_of_one_ends_the_others(snapshot_of, play, fix, told, sandbox, kept):
    snapshot = snapshot_of(APART)
    recorder = kept.recorder(sandbox, snapshot)

    def breaks(event) -> None:
        told(event)
        if isinstance(event, RepairDone) and event.outcome == "fixed":
            raise RuntimeError("a mistake")

    policy = play.policy(play.mends("a", "one.py"), play.edit("two.py", "right", after="::b:", delay=60))
    with pytest.raises(RuntimeError, match="a mistake"):
        await asyncio.wait_for(fix_workspace(snapshot, sandbox, policy, recorder, breaks, Options(jobs=2)), 10)
    assert outcomes(told) == ["cancelled", "fixed"]
    assert len(asyncio.all_tasks()) == 1


async def test_cancelling_while_one_is_proven_on_top_and_another_waits_for_its_turn(snapshot_of, play, fix, told, tools, kept):
    snapshot = snapshot_of({**APART, "c": "needs three.py right"})
    policy = Meeting(play.policy(*(play.mends(test, f"{name}.py") for test, name in zip("abc", ("one", "two", "three"), strict=True))), 3)
    tools.hangs = lambda view: sum(b"right" in view.read(f"{name}.py") for name in ("one", "two", "three")) == 2
    task = asyncio.create_task(fix(snapshot, policy, 3))
    await asyncio.wait_for(tools.hanging.wait(), 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert outcomes(told) == ["cancelled", "cancelled", "fixed"]
    assert len(list((snapshot.root / ".suture" / "patches").iterdir())) == 1
