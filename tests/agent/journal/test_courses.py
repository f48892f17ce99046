"""What a pipeline did, and where a problem began, come back from the journal; redacted, or not at all where nothing may be kept."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.errors import JournalError
from suture_agent.harness import PRESETS
from suture_agent.journal import erase, queries
from suture_agent.journal.starts import read_start
from suture_agent.journal.store import Journal
from suture_agent.pipelines import Course, Judgement, OuterStep
from suture_agent.pipelines.start import start_of
from suture_agent.record import JournalRecorder
from suture_sandbox.checks import CheckResult
from suture_sandbox.patch import FileEdit, Patch

KEY = "AKIAIOSFODNN7QRSTUVW"
STEP = OuterStep(
    check="tests", place="t::a", error="t::a: boom", stage="assert", why="nothing else", attempt=1, candidate="06bx", outcome="kept",
    seen="different", reason="now: other", paths=("a.py",), turns=(0, 2), seconds=1.5,
)  # fmt: skip


def test_course_comes_back(journal, keep, make_repair):
    kept = Patch((FileEdit(path="a.py", before=b"a\n", after=b"b\n"),))
    course = Course(steps=(STEP,), judged=(Judgement(accepted=False, reason="no", turn=3),), kept=kept)
    record = queries.show(journal, keep(journal, msgspec.structs.replace(make_repair(1), course=course)))
    assert record.course is not None
    assert (record.course.steps, record.course.judged, record.course.kept) == (course.steps, course.judged, kept.diff())
    assert queries.show(journal, keep(journal, make_repair(2))).course is None


def test_course_is_redacted_and_kept_at_no_lower_level(path, journal, keep, make_repair):
    course = Course(steps=(msgspec.structs.replace(STEP, error=f"key {KEY}", reason="unmistakable"),))
    done = msgspec.structs.replace(make_repair(1), course=course)
    record = queries.show(journal, keep(journal, done))
    assert record.course.steps[0].error == "key [redacted:aws-key]"
    other = Journal.open(path.with_name("other.sqlite3"), "metadata")
    assert queries.show(other, keep(other, done)).course is None
    with other.reading() as connection:
        assert "unmistakable" not in "\n".join(connection.iterdump())
    other.close()


def test_who_answered_comes_back(journal, keep, make_repair):
    done = make_repair(1)
    turns = (done.turns[0], msgspec.structs.replace(done.turns[1], by="judge"))
    record = queries.show(journal, keep(journal, msgspec.structs.replace(done, turns=turns)))
    assert [turn.by for turn in record.conversation.turns] == ["policy", "judge"]


@pytest.fixture
def begin(journal, environment):
    """Record that a problem is worked on."""

    async def go(problem, to: Journal | None = None) -> None:
        await JournalRecorder(to or journal, environment, problem.snapshot.root).problem(problem)

    return go


async def test_start_comes_back_from_the_journal(journal, begin, make_repair, environment):
    problem = make_repair(1).problem
    snapshot = problem.snapshot.with_edits({"new.py": b"x = 1\n", "old.py": None})
    result = CheckResult(check="tests", status="failed", findings=problem.findings, output="a log")
    problem = msgspec.structs.replace(problem, snapshot=snapshot, before=(result,), flaky={"tests": ("t",)})
    await begin(problem)
    found = read_start(journal, problem.id[:12])
    assert found == start_of(problem, environment.identity)
    assert found.logs == {"tests": "a log"}
    again = found.at(problem.snapshot.root)
    assert (again.id, again.findings, again.before, again.flaky) == (problem.id, problem.findings, problem.before, problem.flaky)
    assert again.snapshot.read("shop.py") == problem.snapshot.read("shop.py")
    assert read_start(journal, problem.id, environment=environment.identity) == found
    with pytest.raises(JournalError, match="begins no problem"):
        read_start(journal, problem.id, environment="another")


async def test_problems_of_one_text_share_what_the_checks_said(journal, environment, make_repair):
    first, second = (make_repair(number).problem for number in (1, 2))
    results = (CheckResult(check="tests", status="failed", output="one log"),)
    recorder = JournalRecorder(journal, environment, first.snapshot.root)
    for problem in (first, second):
        await recorder.problem(msgspec.structs.replace(problem, before=results))
    await recorder.problem(msgspec.structs.replace(second, id="another", before=(*results, *results)))
    assert [len(read_start(journal, name).results) for name in (first.id, second.id, "another")] == [1, 1, 2]
    with journal.reading() as connection:
        assert connection.execute("SELECT count(DISTINCT results) FROM problems").fetchone() == (2,)


async def test_start_outlives_a_change_of_the_workspace(journal, begin, make_repair, workspace):
    problem = make_repair(1).problem
    await begin(problem)
    before = (workspace / "shop.py").read_bytes()
    (workspace / "shop.py").write_text("something else\n")
    assert read_start(journal, problem.id).at(workspace).snapshot.read("shop.py") == before


@pytest.mark.parametrize("content", [f"K = '{KEY}'\n".encode(), b"\xff\xfe\0"])
async def test_start_with_a_secret_or_no_text_is_not_handed_back(journal, begin, make_repair, workspace, content):
    (workspace / "shop.py").write_bytes(content)
    problem = make_repair(1).problem
    await begin(problem)
    with pytest.raises(JournalError, match="cannot be used"):
        read_start(journal, problem.id)
    with journal.reading() as connection:
        assert KEY not in "\n".join(connection.iterdump())


async def test_start_is_not_kept_at_the_level_metadata(path, begin, make_repair):
    journal = Journal.open(path.with_name("other.sqlite3"), "metadata")
    problem = make_repair(1).problem
    await begin(problem, journal)
    with pytest.raises(JournalError, match="not kept"):
        read_start(journal, problem.id)
    journal.close()


async def test_start_goes_with_the_problem(journal, begin, make_repair, environment, policy):
    done = make_repair(1)
    await begin(done.problem)
    await JournalRecorder(journal, environment, done.problem.snapshot.root).repair(done, policy, PRESETS["agent"])
    assert read_start(journal, done.problem.id).problem == done.problem.id
    erase.erase(journal)
    with journal.reading() as connection:
        assert connection.execute("SELECT count(*) FROM blobs").fetchone() == (0,)
