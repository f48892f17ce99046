"""The outer loop: root causes first, a different error keeps, a similar one reverts, and nothing but a whole patch is ever proven."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from suture_agent.events import Progress, StepDone, VerdictReached
from suture_agent.pipelines.full import joined
from suture_agent.policies import PolicyIdentity
from suture_agent.recall import HeldOut, PastFix
from suture_sandbox.errors import PatchError, SandboxFailed
from suture_sandbox.patch import FileEdit, Patch

CASCADE = "!one.py parses SyntaxError\n!two.py there ImportError\ntest_a\n  three.py right AssertionError\n"
BROKEN = {"one": "x = wrong\n", "two": "x = wrong\n", "three": "x = wrong\n"}
SIMPLE = "test_a\n  one.py right AssertionError\ntest_b\n  two.py good TypeError\n"
WRONG = {"one": "x = wrong\n", "two": "x = good\n"}


def steps_of(done) -> list[tuple[str, str, int]]:
    """Outcome, what was seen, and attempt of every step of the outer loop."""
    return [(step.outcome, step.seen, step.attempt) for step in done.course.steps]


def firsts(policy) -> list[str]:
    """What the policy is told at the beginning of each conversation."""
    return [request.messages[1].content for request in policy.requests if len(request.messages) == 2]


async def test_every_error_of_a_cascade_is_mended_in_a_conversation_of_its_own(snapshot_of, play, run, told):
    snapshot = snapshot_of(CASCADE, BROKEN)
    policy = play.policy(
        play.edit("one.py", "parses"), play.submit(),
        play.edit("two.py", "there"), play.submit(),
        play.edit("three.py", "right"), play.submit(),
    )  # fmt: skip
    done = await run(snapshot, policy)
    assert (done.outcome, done.reason) == ("fixed", "")
    assert steps_of(done) == [("kept", "different", 0), ("kept", "different", 0), ("fixed", "", 0)]
    assert [step.stage for step in done.course.steps] == ["syntax", "import", "assert"]
    assert [step.turns for step in done.course.steps] == [(0, 2), (2, 4), (4, 6)]
    assert [name in text for name, text in zip(("SyntaxError", "ImportError", "AssertionError"), firsts(policy), strict=True)] == [True] * 3
    assert [(edit.path, edit.before, edit.after) for edit in done.patch.edits] == [
        ("one.py", b"x = wrong\n", b"x = parses\n"),
        ("three.py", b"x = wrong\n", b"x = right\n"),
        ("two.py", b"x = wrong\n", b"x = there\n"),
    ]
    assert {path.name: path.read_text() for path in snapshot.root.glob("*.py")} == {f"{name}.py": text for name, text in BROKEN.items()}
    assert [event.tool for event in told.of(StepDone) if event.tool in ("kept", "reverted")] == ["kept", "kept"]
    assert [event.phase.split(" (")[0] for event in told.of(Progress) if event.phase.startswith("main error")] == [
        "main error: one.py:1: SyntaxError: one.py is wrong",
        "main error: two.py:1: ImportError: two.py is wrong",
        "main error: tests.txt::test_a: AssertionError: three.py is wrong",
    ]


async def test_what_is_proven_is_the_whole_patch_against_the_original_text(snapshot_of, play, run, told, full):
    snapshot = snapshot_of(CASCADE.replace("test_a", "test_b\n  one.py parses KeyError\ntest_a"), BROKEN)
    policy = play.policy(
        play.edit("one.py", "parses"), play.submit(),
        play.edit("two.py", "there"), play.submit(),
        play.edit("three.py", "right"), play.edit("one.py", "parses not", search="parses"), play.submit(),
    )  # fmt: skip
    done = await run(snapshot, policy)
    assert done.outcome == "fixed"
    assert done.verdict.reruns == full.reruns
    assert done.patch.apply(snapshot).read("one.py") == b"x = parses not\n"
    assert [edit.before for edit in done.patch.edits] == [b"x = wrong\n"] * 3
    assert [event.verdict for event in told.of(VerdictReached)] == [done.verdict]


async def test_similar_error_is_reverted_and_the_next_candidate_is_shown(snapshot_of, play, run):
    fixes = tuple(PastFix(failure=f"failure {name}", diff=f"+ {name}", episode=f"e{name}") for name in ("first", "second", "third"))
    asked: list[tuple[str, int, str]] = []

    async def remember(query, limit=3, *, code="", held_out=None):
        asked.append((query, limit, code))
        return fixes[:limit]

    policy = play.policy(play.edit("one.py", "worse"), play.submit(repeat=5), play.edit("one.py", "right"), play.submit())
    done = await run(snapshot_of(SIMPLE, WRONG), policy, recall=remember)
    assert done.outcome == "fixed"
    assert steps_of(done) == [("reverted", "similar", 0), ("fixed", "", 1)]
    assert [step.candidate for step in done.course.steps] == ["efirst", "esecond"]
    first, second = firsts(policy)
    assert [name in first for name in ("+ first", "+ second")] == [True, False]
    assert [name in second for name in ("+ first", "+ second")] == [False, True]
    assert "worse" not in second
    ((query, limit, code),) = asked
    assert "AssertionError" in query
    assert limit == 4
    assert "x = wrong" in code
    assert done.patch.edits[0].before == b"x = wrong\n"


async def test_fixes_of_the_journal_are_shown_and_what_is_held_out_never(snapshot_of, play, sandbox, run, kept, full):
    snapshot = snapshot_of(SIMPLE, WRONG)
    recorder = kept.recorder(sandbox, snapshot)
    done = await run(snapshot, play.policy(play.edit("one.py", "right"), play.submit()))
    await recorder.repair(done, PolicyIdentity(name="m"), full)
    marks = HeldOut(name="test split", marks=frozenset({done.problem.mark}))
    others = HeldOut(name="another split", tasks=frozenset({"x"}))
    again = play.calls("recall", query="AssertionError one.py is wrong")
    for held, is_shown in ((None, True), (others, True), (marks, False)):
        policy = play.policy(again, play.edit("one.py", "right"), play.submit())
        harness = msgspec.structs.replace(full, held_out=held.identity if held else msgspec.UNSET)
        later = await run(snapshot, policy, harness=harness, recall=kept.recorder(sandbox, snapshot).recall, held_out=held)
        assert later.outcome == "fixed"
        said = [message.content for request in policy.requests for message in request.messages if message.role in ("user", "tool")]
        assert ["+x = right" in said[0], any("was fixed by" in text for text in said)] == [is_shown, is_shown]
        assert bool(later.course.steps[0].candidate) is is_shown


async def test_retries_of_an_error_are_bounded_and_each_is_drawn_anew(snapshot_of, play, run, full):
    short = msgspec.structs.replace(full, budgets=msgspec.structs.replace(full.budgets, retries=2))
    wrong = (play.edit("one.py", "worse"), play.submit(repeat=5))
    policy = play.policy(wrong, wrong, wrong, play.says("never asked"))
    done = await run(snapshot_of(SIMPLE, WRONG), policy, harness=short)
    assert (done.outcome, done.reason) == ("unfixed", "3 episodes on one error, the last one: 5 submissions were refused")
    assert steps_of(done) == [("reverted", "similar", attempt) for attempt in range(3)]
    assert [request.seed for request in policy.requests if len(request.messages) == 2] == [0, 1, 2]
    assert len(policy.requests) == 18
    assert done.course.kept == Patch()
    assert done.patch.edits[0].after == b"x = worse\n"


async def test_retries_begin_anew_with_every_error(snapshot_of, play, run, full):
    short = msgspec.structs.replace(full, budgets=msgspec.structs.replace(full.budgets, retries=1))
    policy = play.policy(
        play.edit("one.py", "worse"), play.submit(repeat=5), play.edit("one.py", "right"), play.submit(),
        play.edit("two.py", "worse"), play.submit(repeat=5), play.edit("two.py", "right"), play.submit(),
    )  # fmt: skip
    tests = "test_a\n  one.py right ValueError\n  two.py right KeyError\n"
    done = await run(snapshot_of(tests, BROKEN), policy, harness=short)
    assert done.outcome == "fixed"
    assert steps_of(done) == [("reverted", "similar", 0), ("kept", "different", 1), ("reverted", "similar", 0), ("fixed", "", 1)]


async def test_patch_that_breaks_what_passed_is_reverted_whatever_it_mends(snapshot_of, play, run):
    policy = play.policy(
        play.edit("one.py", "right"), play.edit("two.py", "bad", search="good"), play.submit(repeat=5),
        play.edit("one.py", "right"), play.submit(),
    )  # fmt: skip
    done = await run(snapshot_of(SIMPLE, WRONG), policy)
    assert steps_of(done) == [("reverted", "broken", 0), ("fixed", "", 1)]
    assert done.course.steps[0].reason == "tests.txt::test_b passed before"
    assert done.patch.paths == ("one.py",)


async def test_error_that_another_check_shows_is_the_next_main_error(snapshot_of, play, run):
    policy = play.policy(
        play.edit("one.py", "right ugly"), play.submit(),
        play.edit("one.py", "", search=" ugly"), play.submit(),
    )  # fmt: skip
    done = await run(snapshot_of(SIMPLE, WRONG), policy)
    assert done.outcome == "fixed"
    assert steps_of(done) == [("kept", "different", 0), ("fixed", "", 0)]
    assert [step.check for step in done.course.steps] == ["tests", "lint"]
    assert done.course.steps[0].paths == ("one.py",)
    assert "The check `lint` fails" in firsts(policy)[1]
    assert done.patch.edits[0].after == b"x = right\n"
    assert done.verdict.fixed == ("tests::tests.txt::test_a",)


async def test_error_that_was_mended_and_is_back_is_no_progress(snapshot_of, play, run):
    policy = play.policy(
        play.edit("one.py", "right"), play.submit(),
        play.edit("two.py", "right"), play.edit("one.py", "wrong", search="right"), play.submit(repeat=5),
        play.edit("two.py", "right"), play.submit(),
    )  # fmt: skip
    done = await run(snapshot_of("test_a\n  one.py right ValueError\n  two.py right KeyError\n", BROKEN), policy)
    assert steps_of(done) == [("kept", "different", 0), ("reverted", "similar", 0), ("fixed", "", 1)]
    assert done.patch.paths == ("one.py", "two.py")


async def test_main_errors_are_bounded_and_what_was_kept_is_told(snapshot_of, play, run, full):
    policy = play.policy(play.edit("one.py", "parses"), play.submit(), play.says("never asked"))
    done = await run(snapshot_of(CASCADE, BROKEN), policy, harness=msgspec.structs.replace(full, errors=1))
    assert (done.outcome, done.verdict) == ("unfixed", None)
    assert done.reason == "1 main errors one after the other, and others are left"
    assert done.patch == done.course.kept
    assert done.course.kept.paths == ("one.py",)


async def test_guard_violation_keeps_nothing(snapshot_of, play, run):
    snapshot = snapshot_of(CASCADE, {**BROKEN, "test_own": "assert 1 == wrong\n"})
    policy = play.policy(
        play.edit("one.py", "parses"), play.edit("test_own.py", "1"), play.submit(repeat=5),
        play.edit("one.py", "parses"), play.submit(repeat=0),
    )  # fmt: skip
    done = await run(snapshot, policy)
    assert done.course.steps[0].outcome == "reverted"
    assert "guard" in done.course.steps[0].reason
    assert [step.outcome for step in done.course.steps[1:2]] == ["kept"]
    assert done.course.kept.paths == ("one.py",)


async def test_budgets_are_those_of_an_episode_and_usage_that_of_the_problem(snapshot_of, play, run, full):
    short = msgspec.structs.replace(full, budgets=msgspec.structs.replace(full.budgets, steps=2, tool_calls=2))
    policy = play.policy(
        play.edit("one.py", "parses"), play.submit(),
        play.edit("two.py", "there"), play.submit(),
        play.edit("three.py", "right"), play.submit(),
    )  # fmt: skip
    done = await run(snapshot_of(CASCADE, BROKEN), policy, harness=short)
    assert done.outcome == "fixed"
    assert done.usage.steps == 6


async def test_tool_calls_that_are_used_up_end_the_episode_and_its_edits_are_proven(snapshot_of, play, run, full):
    short = msgspec.structs.replace(full, budgets=msgspec.structs.replace(full.budgets, tool_calls=2, retries=0))
    policy = play.policy(play.calls("read_file", path="one.py"), play.edit("one.py", "right"), play.submit(repeat=0))
    done = await run(snapshot_of(SIMPLE, WRONG), policy, harness=short)
    assert done.outcome == "fixed"
    assert len(policy.requests) == 3
    policy = play.policy(play.calls("read_file", path="one.py"), play.edit("one.py", "worse"), play.submit(repeat=0))
    again = await run(done.problem.snapshot, policy, harness=short)
    assert (again.outcome, again.reason) == ("unfixed", "an episode, the last one: 2 tool calls are used up")


class Clock:
    """The event loop's clock, which can be put forward."""

    def __init__(self, monkeypatch) -> None:
        loop = asyncio.get_running_loop()
        self.ahead = 0.0
        self._real = loop.time
        monkeypatch.setattr(loop, "time", lambda: self._real() + self.ahead)

    def __call__(self, event) -> None:
        """Put it forward by a day when a step is over."""
        if isinstance(event, StepDone) and event.tool == "kept":
            self.ahead += 86_400


async def test_time_of_an_episode_is_up_and_the_next_one_is_tried(snapshot_of, play, run, full):
    short = msgspec.structs.replace(full, budgets=msgspec.structs.replace(full.budgets, episode_seconds=0, retries=1))
    done = await run(snapshot_of(SIMPLE, WRONG), play.policy(play.says("late", delay=60, repeat=0)), harness=short)
    assert (done.outcome, done.reason) == ("unfixed", "2 episodes on one error, the last one: the episode's 0 s are spent")
    assert [(*step, each.reason) for step, each in zip(steps_of(done), done.course.steps, strict=True)] == [
        ("reverted", "", 0, "the episode's 0 s are spent"),
        ("reverted", "", 1, "the episode's 0 s are spent"),
    ]


async def test_time_of_the_problem_is_up_half_way(snapshot_of, play, run, full, monkeypatch):
    policy = play.policy(play.edit("one.py", "parses"), play.submit(), play.says("late", delay=10_000_000))
    done = await run(snapshot_of(CASCADE, BROKEN), policy, events=Clock(monkeypatch))
    assert (done.outcome, done.reason) == ("unfixed", "the budget of 19200 s is spent")
    assert (done.patch, done.verdict) == (None, None)
    assert steps_of(done) == [("kept", "different", 0)]
    assert done.course.kept.paths == ("one.py",)


async def test_cancelled_half_way_leaves_nothing_behind(snapshot_of, play, sandbox, run, told):
    snapshot = snapshot_of(CASCADE, BROKEN)
    policy = play.policy(play.edit("one.py", "parses"), play.submit(), play.says("late", delay=600))
    kept = asyncio.Event()

    def tell(event) -> None:
        told(event)
        if isinstance(event, StepDone) and event.tool == "kept":
            kept.set()

    task = asyncio.create_task(run(snapshot, policy, events=tell))
    await asyncio.wait_for(kept.wait(), 20)
    await asyncio.sleep(0.05)
    assert len(policy.requests) == 3
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert len(asyncio.all_tasks()) == 1
    assert told.of(VerdictReached) == []
    assert (snapshot.root / "one.py").read_text() == "x = wrong\n"


@pytest.mark.parametrize("when", ["the policy is down", "the machine burns while it is looked at"])
async def test_machine_or_policy_that_fails_half_way_is_infrastructure(snapshot_of, play, run, tool, when):
    policy = play.policy(play.edit("one.py", "parses"), play.submit(), play.fails(message="it is the server"))

    async def burn(view) -> None:
        if b"parses" in view.read("one.py") and tool.runs > 2:
            raise SandboxFailed("the machine is on fire")

    tool.on_run = burn if "burns" in when else None
    done = await run(snapshot_of(CASCADE, BROKEN), policy)
    assert done.outcome == "infrastructure"
    assert (done.failed, done.reason) == (("machine", "the machine is on fire") if "burns" in when else ("policy", "it is the server"))
    assert len(done.course.steps) == (0 if "burns" in when else 1)


async def test_text_that_moves_while_it_is_repaired_is_not_kept(snapshot_of, play, run, told):
    snapshot = snapshot_of(CASCADE, BROKEN)

    def meddle(event) -> None:
        told(event)
        if isinstance(event, StepDone) and event.tool == "edit_file":
            (snapshot.root / "one.py").write_text("x = wrong\ny = mine\n")

    policy = play.policy(play.edit("one.py", "parses"), play.submit(repeat=0))
    done = await run(snapshot, policy, events=meddle)
    assert done.outcome == "unfixed"
    assert done.course.steps[0].reason == "one.py is not what the patch expects"
    assert "kept" not in {step.outcome for step in done.course.steps}


def test_two_patches_in_a_row_are_one():
    first = Patch((FileEdit(path="a", before=b"1", after=b"2"), FileEdit(path="b", before=None, after=b"new")))
    second = Patch((FileEdit(path="a", before=b"2", after=b"3"), FileEdit(path="c", before=b"x", after=None)))
    assert joined(first, second).edits == (
        FileEdit(path="a", before=b"1", after=b"3"),
        FileEdit(path="b", before=None, after=b"new"),
        FileEdit(path="c", before=b"x", after=None),
    )
    back = Patch((FileEdit(path="a", before=b"2", after=b"1"), FileEdit(path="b", before=b"new", after=None)))
    assert joined(first, back) == Patch()
    assert joined(Patch(), second) == second
    with pytest.raises(PatchError, match="a is not what"):
        joined(first, Patch((FileEdit(path="a", before=b"1", after=b"3"),)))
