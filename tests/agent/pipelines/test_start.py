"""The fixed start: a record that is stored, comes back as it was, and begins the same episode anywhere, with the same past fixes."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from suture_agent.harness import harness_for, with_past_fixes
from suture_agent.pipelines.start import Start, named_files, start_of
from suture_agent.problem import problems_in
from suture_agent.recall import HeldOut, PastFix
from suture_agent.repair import repair
from suture_sandbox.errors import ConfigurationError

SIMPLE = "test_a\n  one.py right AssertionError\ntest_b\n  two.py good TypeError\n"
WRONG = {"one": "x = wrong\n", "two": "x = good\n"}
FIXES = tuple(PastFix(failure=f"failure {n}", diff=f"+ {n}", episode=f"e{n}", problem=f"p{n}", mark=f"m{n}", repository="r") for n in "123")


@pytest.fixture
def start(snapshot_of, sandbox):
    """The start of the first problem of a simple workspace, with an unsaved edit over it."""

    async def make() -> Start:
        snapshot = snapshot_of(SIMPLE, WRONG).with_edits({"new.bin": b"\xff\x00", "gone.py": None})
        problem = problems_in(snapshot, await sandbox.check_all(snapshot))[0]
        return start_of(problem, sandbox.environment.identity, FIXES)

    return make


@pytest.fixture
def shown_fix(play):
    """The harness of the pipeline `simplified` that shows one past fix."""
    return with_past_fixes(harness_for(play.policy().capability), 1)


async def test_start_comes_back_as_it_was(start):
    made = await start()
    again = msgspec.json.decode(msgspec.json.encode(made), type=Start)
    assert again == made
    assert again.candidate == FIXES[0]
    assert set(again.texts) == {"new.bin", "gone.py", "one.py", "tests.txt"}
    assert set(again.logs) == {"lint", "tests"}


async def test_start_is_the_same_problem_wherever_the_workspace_lies_and_whatever_it_has_become(start, play, sandbox, told, tmp_path):
    made = await start()
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(tmp_path / "shop", elsewhere)
    (elsewhere / "one.py").write_text("x = something else\n")
    problem = made.at(elsewhere)
    assert (problem.id, problem.findings, problem.before) == (made.problem, made.findings, made.results)
    policy = play.policy(play.edit("one.py", "right"), play.submit())
    done = await repair(problem, policy, sandbox, harness_for(policy.capability), told, start=made)
    assert done.outcome == "fixed"
    assert done.patch.edits[0].before == b"x = wrong\n"
    assert (elsewhere / "one.py").read_text() == "x = something else\n"


async def test_cached_candidate_is_shown_and_the_tool_recalls_nothing_but_the_cache(start, play, sandbox, told, shown_fix, tmp_path):
    made = await start()
    asked: list[str] = []

    async def live(query, limit=3, *, code="", held_out=None):
        asked.append(query)
        return (PastFix(failure="live", diff="+ live"),)

    problem = made.at(tmp_path / "shop")
    policy = play.policy(play.calls("recall", query="anything"), play.edit("one.py", "right"), play.submit())
    done = await repair(problem, policy, sandbox, shown_fix, told, recall=live, start=made)
    assert done.outcome == "fixed"
    assert "failure 1" in policy.requests[0].messages[1].content
    assert "failure 2" not in policy.requests[0].messages[1].content
    assert policy.requests[1].messages[-1].content.split("\n\n")[2] == "failure 3\nwas fixed by:\n+ 3"
    assert asked == []


async def test_simplified_shows_no_candidate_unless_the_harness_says_so(start, play, sandbox, told, tmp_path):
    made = await start()
    policy = play.policy(play.edit("one.py", "right"), play.submit())
    await repair(made.at(tmp_path / "shop"), policy, sandbox, harness_for(policy.capability), told, start=made)
    assert "failure 1" not in policy.requests[0].messages[1].content


async def test_without_recall_the_cache_is_closed_too(start, play, sandbox, told, shown_fix, tmp_path):
    made = await start()
    policy = play.policy(play.calls("recall", query="anything"), play.edit("one.py", "right"), play.submit())
    closed = msgspec.structs.replace(shown_fix, recall="off")
    await repair(made.at(tmp_path / "shop"), policy, sandbox, closed, told, start=made)
    assert "failure 1" not in policy.requests[0].messages[1].content
    assert policy.requests[1].messages[-1].content == "nothing similar was fixed before"


async def test_cached_fix_that_is_held_out_is_not_shown(start, play, sandbox, told, shown_fix, tmp_path):
    made = await start()
    held = HeldOut(name="test", marks=frozenset({"m1"}))
    harness = msgspec.structs.replace(shown_fix, held_out=held.identity)
    policy = play.policy(play.calls("recall", query="anything"), play.edit("one.py", "right"), play.submit())
    await repair(made.at(tmp_path / "shop"), policy, sandbox, harness, told, start=made, held_out=held)
    said = "\n".join(message.content for message in policy.requests[-1].messages)
    assert ["failure 1" in said, "failure 2" in said] == [False, True]


async def test_exclusion_set_and_harness_belong_together(start, play, sandbox, told, shown_fix, tmp_path):
    made = await start()
    held = HeldOut(name="test", marks=frozenset({"m1"}))
    harness = msgspec.structs.replace(shown_fix, held_out=held.identity)
    other = HeldOut(name="test", marks=frozenset({"m2"}))
    for given_harness, given in ((harness, None), (harness, other), (shown_fix, held)):
        with pytest.raises(ConfigurationError, match="holds out"):
            await repair(made.at(tmp_path / "shop"), play.policy(), sandbox, given_harness, told, held_out=given)


@pytest.mark.parametrize("tools", [True, False])
async def test_candidate_is_kept_from_the_policy_where_it_is_about_a_file_that_is(start, play, sandbox, told, shown_fix, tmp_path, tools):
    made = await start()
    secret = PastFix(failure="secret", diff="--- a/private/x.py\n+++ b/private/x.py\n+ secret")
    made = msgspec.structs.replace(made, recalled=(secret,))
    policy = play.policy(play.edit("one.py", "right"), play.submit())
    for excluded, is_shown in (((), True), (("private/",), False)):
        harness = msgspec.structs.replace(shown_fix, excluded=excluded or msgspec.UNSET)
        policy = play.policy(play.edit("one.py", "right"), play.submit())
        await repair(made.at(tmp_path / "shop"), policy, sandbox, harness, told, start=made)
        assert ("+ secret" in policy.requests[0].messages[1].content) is is_shown


async def test_small_models_are_shown_the_candidate_first(start, play, sandbox, told, tmp_path):
    (tmp_path / "shop").mkdir(exist_ok=True)
    shutil.rmtree(tmp_path / "shop")
    made = await start()
    policy = play.policy(play.says("x = right\n", repeat=0), tools=False)
    harness = with_past_fixes(harness_for(policy.capability), 1)
    harness = msgspec.structs.replace(harness, recall="journal", edits_by_rule="off", rules="")
    done = await repair(made.at(tmp_path / "shop"), policy, sandbox, harness, told, start=made)
    if policy.requests:
        assert policy.requests[0].messages[1].content.startswith("A failure like this one was mended before")
    assert done.outcome in ("fixed", "unfixed")


def test_named_files_are_those_of_findings_frames_and_tests(tmp_path: Path):
    from suture_agent.problem import Problem
    from suture_sandbox.findings import Finding, Place
    from suture_sandbox.snapshot import Snapshot
    from suture_sandbox.text import Position, Range
    from suture_sandbox.verdict import Target

    place = Range(Position(0, 0), Position(0, 1))
    related = (Place("lib/a.py", place), Place("/usr/lib/x.py", place))
    finding = Finding(check="tests", path="b.py", range=place, code="E", message="m", test="test_c.py::t", related=related)
    nowhere = Finding(check="tests", path="", range=place, message="m")
    problem = Problem(id="p", snapshot=Snapshot(tmp_path), target=Target(check="tests", findings=(finding, nowhere)), before=())
    assert named_files(problem) == ("b.py", "lib/a.py", "test_c.py")
