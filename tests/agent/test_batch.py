"""`fix_workspace`: problem by problem, everything recorded once, resumable, and the workspace changed only by `apply` and only whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from suture_agent.batch import Options, fix_workspace
from suture_agent.errors import PolicyUnavailable
from suture_agent.events import ProblemDropped, ProblemFound, Progress, RepairDone, StepDone, VerdictReached
from suture_agent.harness import harness_for
from suture_agent.journal import queries
from suture_agent.pipelines.judge import Judge
from suture_agent.record import NoRecorder
from suture_sandbox.environment import Dependency
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.snapshot import Snapshot

TWO = {"a": "needs one.py right", "b": "needs two.py right", "c": "pass"}


def files_of(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def fix(sandbox, kept, told):
    """Runs a batch with the journal, on the workspace as it is on disk."""

    async def run(snapshot, policy, *, where=sandbox, events=told, **options):
        recorder = kept.recorder(where, snapshot)
        return await fix_workspace(snapshot, where, policy, recorder, events, Options(**options), recall=recorder.recall)

    return run


async def test_one_is_repaired_and_one_is_not(snapshot_of, play, fix, told, kept):
    snapshot = snapshot_of(TWO)
    before = files_of(snapshot.root)
    wrong = (play.edit("one.py", "worse", after="::a:"), *(play.submit(after="::a:") for _ in range(5)))
    summary = await fix(snapshot, play.policy(wrong, play.mends("b", "two.py")))
    assert (summary.problems, summary.fixed, summary.unfixed, summary.infrastructure) == (2, 1, 1, 0)
    first, second = told.of(ProblemFound)
    done = told.of(RepairDone)
    assert [(each.problem, each.outcome, each.files) for each in done] == [(first.id, "unfixed", ()), (second.id, "fixed", ("two.py",))]
    assert kept.outcomes == [(first.id, "unfixed"), (second.id, "fixed")]
    assert (done[0].patch, done[0].added, done[0].removed) == ("", 0, 0)
    assert (done[1].patch, done[1].added, done[1].removed) == (f".suture/patches/01-tests-{second.id[:8]}.diff", 1, 1)
    assert "+x = right" in (snapshot.root / done[1].patch).read_text()
    after = files_of(snapshot.root)
    assert {path: text for path, text in after.items() if not path.startswith(".suture/")} == before
    assert len(after) == len(before) + 2


async def test_events_come_in_order(snapshot_of, play, fix, told):
    await fix(snapshot_of({"a": "needs one.py right"}), play.policy(play.mends("a", "one.py")))
    assert told.names == ["ProblemFound", "policy", "edit_file", "policy", "VerdictReached", "RepairDone"]
    phases = [event.phase for event in told.of(Progress)]
    assert phases[:3] == ["running the checks", "starting the policy", "reproducing the failure"]


async def test_it_is_in_the_journal_before_it_is_told(snapshot_of, play, fix, kept, told):
    seen = []

    def events(event) -> None:
        if isinstance(event, RepairDone):
            seen.append((event.problem, event.outcome) in kept.outcomes)

    await fix(snapshot_of(TWO), play.policy(play.mends("a", "one.py"), play.fails(after="::b:")), events=events)
    assert seen == [True, True]


async def test_apply_writes_every_fix_and_each_patch_fits_the_one_before(snapshot_of, play, fix, sandbox, told):
    tests = {"a": "needs one.py right", "b": "needs one.py good", "c": "needs two.py right"}
    snapshot = snapshot_of(tests)
    turns = (play.mends("a", "one.py", "right wrong"), play.mends("b", "one.py", "good"), play.mends("c", "two.py"))
    summary = await fix(snapshot, play.policy(*turns), apply=True)
    assert summary.fixed == 3
    assert files_of(snapshot.root)["one.py"] == "x = right good\n"
    assert files_of(snapshot.root)["two.py"] == "x = right\n"
    assert [Path(event.patch).name[:8] for event in told.of(RepairDone)] == ["01-tests", "02-tests", "03-tests"]
    assert all(result.passed for result in await sandbox.check_all(snapshot))


async def test_written_patches_apply_one_after_the_other(snapshot_of, play, fix, told):
    snapshot = snapshot_of({"a": "needs one.py right", "b": "needs one.py good"})
    await fix(snapshot, play.policy(play.mends("a", "one.py", "right wrong"), play.mends("b", "one.py", "good")))
    first, second = ((snapshot.root / event.patch).read_text() for event in told.of(RepairDone))
    assert "-x = wrong\n+x = right wrong\n" in first
    assert "-x = right wrong\n+x = right good\n" in second


async def test_problem_that_an_earlier_fix_mends_is_dropped_and_said(snapshot_of, play, fix, told, kept):
    policy = play.policy(play.mends("a", "one.py"))
    summary = await fix(snapshot_of({"a": "needs one.py right", "b": "needs one.py right"}), policy)
    assert (summary.problems, summary.fixed) == (1, 1)
    (dropped,) = told.of(ProblemDropped)
    assert dropped.reason == "an earlier fix mended it too"
    assert dropped.id not in [event.id for event in told.of(ProblemFound)]
    assert len(kept.outcomes) == 1


async def test_problem_that_passes_unchanged_is_dropped_without_asking(snapshot_of, play, fix, told, kept):
    policy = play.policy()
    summary = await fix(snapshot_of({"a": "once"}), policy)
    assert (summary.problems, policy.requests, kept.outcomes) == (0, [], [])
    assert "flaky" in told.of(ProblemDropped)[0].reason


async def test_only_what_is_asked_for_is_repaired(snapshot_of, play, fix, told):
    snapshot = snapshot_of({"a": "needs one.py right"}, lib="x = bad\n")
    lint = play.edit("lib.py", "fine", search="bad")
    summary = await fix(snapshot, play.policy(lint, play.submit()), checks=("lint",))
    assert (summary.problems, summary.fixed) == (1, 1)
    assert [event.check for event in told.of(ProblemFound)] == ["lint"]
    told.events.clear()
    summary = await fix(snapshot, play.policy(lint, play.submit()), paths=("li*.py",))
    assert [event.check for event in told.of(ProblemFound)] == ["lint"]
    assert (await fix(snapshot, play.policy(), paths=("nothing/*",))).problems == 0


async def test_nothing_to_repair_starts_no_policy(snapshot_of, play, fix, told):
    summary = await fix(snapshot_of({"a": "pass"}), Unstartable())
    assert (summary.problems, summary.harness, summary.policy) == (0, "", "")
    assert told.names == []


class Unstartable:
    """A policy that nobody can start."""

    def __init__(self) -> None:
        self.starts = 0

    async def start(self):
        self.starts += 1
        raise PolicyUnavailable("nothing listens", remedy="start it")


async def test_policy_that_does_not_start_ends_the_run_without_an_episode(snapshot_of, fix, told, kept):
    policy = Unstartable()
    summary = await fix(snapshot_of(TWO), policy)
    assert (summary.problems, summary.infrastructure, summary.unfixed, policy.starts) == (1, 1, 0, 1)
    assert [(event.outcome, event.reason) for event in told.of(RepairDone)] == [("infrastructure", "nothing listens; try: start it")]
    assert kept.outcomes == []


async def test_policy_that_breaks_down_on_one_problem_is_asked_about_the_next(snapshot_of, play, fix, kept):
    summary = await fix(snapshot_of(TWO), play.policy(play.fails(after="::a:"), play.mends("b", "two.py")))
    assert (summary.infrastructure, summary.fixed, summary.unfixed) == (1, 1, 0)
    assert [outcome for _, outcome in kept.outcomes] == ["infrastructure", "fixed"]


async def test_sandbox_that_breaks_down_while_it_proves_is_recorded_as_such(snapshot_of, play, fix, kept, tools):
    tools.breaks = lambda view: b"right" in view.read("one.py")
    summary = await fix(snapshot_of(TWO), play.policy(play.mends("a", "one.py"), play.mends("b", "two.py")))
    assert (summary.infrastructure, summary.fixed, summary.unfixed) == (1, 1, 0)
    assert [outcome for _, outcome in kept.outcomes] == ["infrastructure", "fixed"]


async def test_sandbox_that_breaks_down_while_it_reproduces_ends_up_in_the_summary(snapshot_of, play, fix, tools, told, kept):
    tools.breaks = lambda _view: tools.runs[-1] == ("a",)
    summary = await fix(snapshot_of(TWO), play.policy(play.mends("b", "two.py")))
    assert (summary.problems, summary.infrastructure, summary.fixed) == (2, 1, 1)
    assert [event.reason for event in told.of(RepairDone)] == ["the machine is on fire", ""]
    assert len(kept.outcomes) == 1


async def test_sandbox_that_breaks_down_before_work_has_begun_raises(snapshot_of, play, fix, tools):
    tools.breaks = lambda _view: True
    with pytest.raises(SandboxFailed):
        await fix(snapshot_of(TWO), play.policy())


async def test_check_that_cannot_run_counts_as_infrastructure(snapshot_of, play, fix, sandbox):
    sandbox.backend._programs.pop("linttool")
    snapshot = snapshot_of({"a": "needs one.py right"})
    summary = await fix(snapshot, play.policy(), checks=("lint",))
    assert (summary.problems, summary.infrastructure, summary.unfixed) == (0, 1, 0)
    summary = await fix(snapshot, play.policy(play.mends("a", "one.py")))
    assert (summary.problems, summary.infrastructure, summary.unfixed) == (1, 2, 0)


async def test_resumed_run_proves_again_and_asks_nobody(snapshot_of, play, fix, told, kept, tools):
    snapshot = snapshot_of(TWO)
    await fix(snapshot, play.policy(play.mends("a", "one.py"), play.fails(after="::b:")))
    (first, _), (second, _) = kept.outcomes
    told.events.clear()
    tools.runs.clear()
    policy = play.policy(play.mends("b", "two.py"))
    summary = await fix(snapshot, policy, resume=True)
    assert summary.fixed == 2
    assert [(done.reason, done.usage.steps) for done in summary.repairs] == [("resumed", 0), ("", 2)]
    assert tools.runs.count(("a",)) == 2 + 4  # reproduced, proven; three times without the patch, once under another hash seed
    assert len(policy.requests) == 2
    assert told.names[:3] == ["ProblemFound", "VerdictReached", "RepairDone"]
    assert kept.outcomes == [(first, "fixed"), (second, "infrastructure"), (first, "fixed"), (second, "fixed")]
    assert (await fix(snapshot, play.policy(), resume=True, apply=True)).fixed == 2
    assert files_of(snapshot.root)["two.py"] == "x = right\n"


async def test_what_no_judge_may_have_seen_is_not_resumed(snapshot_of, play, sandbox, kept, told, fix):
    snapshot = snapshot_of({"a": "needs one.py right"})
    await fix(snapshot, play.policy(play.mends("a", "one.py")))
    recorder, policy = kept.recorder(sandbox, snapshot), play.policy(play.edit("one.py", "right"), play.submit(repeat=0))
    judge = play.policy(play.says("REFUSE: no", repeat=0), tools=False)
    asked = Options(resume=True)
    summary = await fix_workspace(snapshot, sandbox, policy, recorder, told, asked, recall=recorder.recall, judge=Judge(judge))
    assert (summary.fixed, summary.unfixed, len(judge.requests)) == (0, 1, 5)
    assert summary.harness != harness_for(policy.capability).identity
    record = queries.show(kept.journal, queries.recent(kept.journal)[0].id)
    assert record.fields["harness"]["fields"]["judge"].startswith("scripted ")
    assert [each.accepted for each in record.course.judged] == [False] * 5


async def test_judge_that_cannot_be_started_is_infrastructure(snapshot_of, play, sandbox, kept, told):
    class Down:
        async def start(self):
            raise PolicyUnavailable("no judge")

    snapshot = snapshot_of({"a": "needs one.py right"})
    policy = play.policy()
    recorder = kept.recorder(sandbox, snapshot)
    summary = await fix_workspace(snapshot, sandbox, policy, recorder, told, Options(), judge=Judge(Down()))
    assert (summary.infrastructure, summary.repairs[0].reason, policy.requests) == (1, "no judge", [])


async def test_run_that_does_not_resume_asks_again(snapshot_of, play, fix):
    snapshot = snapshot_of({"a": "needs one.py right"})
    for _ in range(2):
        policy = play.policy(play.mends("a", "one.py"))
        await fix(snapshot, policy)
        assert len(policy.requests) == 2


async def test_patch_that_no_longer_fits_is_not_resumed_but_made_anew(snapshot_of, play, fix):
    snapshot = snapshot_of({"a": "needs one.py right"})
    await fix(snapshot, play.policy(play.mends("a", "one.py")))
    (snapshot.root / "one.py").write_text("y = 0\nx = wrong\n")
    policy = play.policy(play.mends("a", "one.py"))
    summary = await fix(snapshot, policy, resume=True)
    assert (summary.fixed, summary.repairs[0].reason, len(policy.requests)) == (1, "", 2)


async def test_patch_that_is_no_longer_proven_is_not_resumed(snapshot_of, play, fix):
    snapshot = snapshot_of({"a": "needs one.py right"})
    await fix(snapshot, play.policy(play.mends("a", "one.py")))
    (snapshot.root / "tests.txt").write_text("a: needs one.py right\nz: needs one.py wrong\n")
    await fix(snapshot, play.policy(play.mends("a", "one.py")))
    summary = await fix(snapshot, play.policy(play.fails()), resume=True)
    assert (summary.fixed, summary.infrastructure) == (0, 1)


async def test_sandbox_that_breaks_down_while_it_resumes_is_infrastructure(snapshot_of, play, fix, tools, kept):
    snapshot = snapshot_of({"a": "needs one.py right"})
    await fix(snapshot, play.policy(play.mends("a", "one.py")))
    tools.breaks = lambda view: b"right" in view.read("one.py")
    summary = await fix(snapshot, play.policy(), resume=True)
    assert (summary.infrastructure, summary.fixed) == (1, 0)
    assert [outcome for _, outcome in kept.outcomes] == ["fixed", "infrastructure"]


async def test_what_was_proven_in_another_environment_is_not_resumed(snapshot_of, play, fix, sandbox_of):
    snapshot = snapshot_of({"a": "needs one.py right"})
    pinned = sandbox_of(dependencies={"pytest": Dependency(version="8.4.1", content="c" * 64)})
    drifted = sandbox_of(dependencies={"pytest": Dependency(version="8.4.2", content="d" * 64)})
    await fix(snapshot, play.policy(play.mends("a", "one.py")), where=pinned)
    policy = play.policy(play.mends("a", "one.py"))
    assert (await fix(snapshot, policy, where=drifted, resume=True)).fixed == 1
    assert len(policy.requests) == 2
    assert (await fix(snapshot, play.policy(), where=pinned, resume=True)).repairs[0].reason == "resumed"


async def cancelled(run, reached) -> None:
    task = asyncio.create_task(run)
    await asyncio.wait_for(reached(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_cancelling_half_way_keeps_what_is_done_and_leaves_the_rest_untouched(snapshot_of, play, fix, tools, told, kept):
    snapshot = snapshot_of(TWO)
    tools.hangs = lambda view: b"right" in view.read("two.py")
    policy = play.policy(play.mends("a", "one.py"), play.mends("b", "two.py"))
    await cancelled(fix(snapshot, policy, apply=True), tools.hanging.wait)
    assert [event.outcome for event in told.of(RepairDone)] == ["fixed", "cancelled"]
    assert [outcome for _, outcome in kept.outcomes] == ["fixed", "cancelled"]
    files = {path: text for path, text in files_of(snapshot.root).items() if path.endswith(".py")}
    assert files == {"one.py": "x = right\n", "two.py": "x = wrong\n"}
    assert len(list((snapshot.root / ".suture" / "patches").iterdir())) == 1
    assert len(asyncio.all_tasks()) == 1


async def test_cancelling_leaves_the_workspace_as_it_was(snapshot_of, play, fix, tools, kept):
    snapshot = snapshot_of({"a": "needs one.py right"})
    tools.hangs = lambda view: b"right" in view.read("one.py")
    before = files_of(snapshot.root)
    await cancelled(fix(snapshot, play.policy(play.mends("a", "one.py")), apply=True), tools.hanging.wait)
    assert files_of(snapshot.root) == before
    assert [outcome for _, outcome in kept.outcomes] == ["cancelled"]


async def test_cancelling_while_it_resumes_is_recorded_too(snapshot_of, play, fix, tools, kept):
    snapshot = snapshot_of({"a": "needs one.py right"})
    await fix(snapshot, play.policy(play.mends("a", "one.py")))
    tools.hangs = lambda view: b"right" in view.read("one.py")
    await cancelled(fix(snapshot, play.policy(), resume=True), tools.hanging.wait)
    assert [outcome for _, outcome in kept.outcomes] == ["fixed", "cancelled"]


async def test_file_that_a_person_edits_meanwhile_is_not_overwritten(snapshot_of, play, fix, told, kept):
    snapshot = snapshot_of(TWO)

    def meddle(event) -> None:
        told(event)
        if isinstance(event, VerdictReached) and event.problem == told.of(ProblemFound)[0].id:
            (snapshot.root / "one.py").write_text("x = mine\n")

    summary = await fix(snapshot, play.policy(play.mends("a", "one.py"), play.mends("b", "two.py")), events=meddle, apply=True)
    assert (summary.fixed, summary.unfixed) == (1, 1)
    first, second = told.of(RepairDone)
    assert first.outcome == "unfixed"
    assert first.reason == "proven, but not applied: one.py is not what the patch expects"
    assert "+x = right" in (snapshot.root / first.patch).read_text()
    assert second.outcome == "fixed"
    files = {path: text for path, text in files_of(snapshot.root).items() if path.endswith(".py")}
    assert files == {"one.py": "x = mine\n", "two.py": "x = right\n"}
    assert [outcome for _, outcome in kept.outcomes] == ["fixed", "fixed"]


async def test_patch_that_cannot_be_written_is_infrastructure_and_the_run_goes_on(snapshot_of, play, fix, told):
    snapshot = snapshot_of(TWO)

    def meddle(event) -> None:
        told(event)
        if isinstance(event, VerdictReached) and event.problem == told.of(ProblemFound)[0].id:
            place = snapshot.root / ".suture" / "patches" / f"01-tests-{event.problem[:8]}.diff"
            place.mkdir(parents=True)

    summary = await fix(snapshot, play.policy(play.mends("a", "one.py"), play.mends("b", "two.py")), events=meddle, apply=True)
    assert (summary.fixed, summary.infrastructure) == (1, 1)
    assert told.of(RepairDone)[0].reason.startswith("proven, but not written: ")
    assert files_of(snapshot.root)["one.py"] == "x = wrong\n"


async def test_policy_recalls_what_was_fixed_before_in_the_same_run(snapshot_of, play, fix):
    policy = play.policy(play.mends("a", "one.py"), play.calls("recall", query="assert 1 == 2"), play.mends("b", "two.py"))
    assert (await fix(snapshot_of(TWO), policy)).fixed == 2
    (answer,) = [request.messages[-1].content for request in policy.requests if request.messages[-1].name == "recall"]
    assert "+x = right" in answer
    assert "two.py" not in answer


async def test_run_without_a_journal_repairs_all_the_same(snapshot_of, play, sandbox, told):
    snapshot = snapshot_of(TWO)
    policy = play.policy(play.mends("a", "one.py"), play.mends("b", "two.py"))
    summary = await fix_workspace(snapshot, sandbox, policy, NoRecorder(), told, Options(resume=True))
    assert summary.fixed == 2
    assert summary.policy == "scripted"
    assert summary.harness == harness_for(policy.capability).identity


async def test_harness_is_what_the_caller_says(snapshot_of, play, sandbox, told):
    def of(policy, identity):
        return msgspec.structs.replace(harness_for(policy.capability), reruns=2, template=identity.server)

    snapshot = snapshot_of({"a": "needs one.py right"})
    policy = play.policy(play.mends("a", "one.py"))
    summary = await fix_workspace(snapshot, sandbox, policy, NoRecorder(), told, Options(), harness_of=of)
    assert summary.repairs[0].verdict.reruns == 2
    assert summary.harness == of(policy, await policy.start()).identity


async def test_unsaved_text_over_the_disk_is_what_is_repaired(snapshot_of, play, sandbox, told):
    snapshot = snapshot_of({"a": "needs one.py right"}).with_edits({"one.py": b"y = 1\nx = wrong\n"})
    summary = await fix_workspace(snapshot, sandbox, play.policy(play.mends("a", "one.py")), NoRecorder(), told, Options())
    (edit,) = summary.repairs[0].patch.edits
    assert (edit.before, edit.after) == (b"y = 1\nx = wrong\n", b"y = 1\nx = right\n")
    assert isinstance(summary.repairs[0].problem.snapshot, Snapshot)
    assert told.of(StepDone)
