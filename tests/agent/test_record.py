"""The seam between a run and what remembers it: off keeps nothing, the journal keeps all of a real repair, recall finds what was proven."""

from __future__ import annotations

import inspect

import pytest

from suture_agent.errors import JournalError
from suture_agent.journal import queries
from suture_agent.policies import PolicyIdentity
from suture_agent.recall import PastFix, Recall, no_recall
from suture_agent.record import JournalRecorder, NoRecorder, Recorder
from suture_agent.repair import repair
from suture_agent.survival import Survival
from suture_sandbox.snapshot import Snapshot

WHO = PolicyIdentity(name="played", base="b" * 64, server="scripted 1")


@pytest.fixture
async def done(snapshot_of, problem_of, play, sandbox, harness, told):
    """A real repair that was fixed."""
    problem = await problem_of(snapshot_of({"a": "needs one.py right"}))
    return await repair(problem, play.policy(play.mends("a", "one.py")), sandbox, harness, told)


@pytest.mark.parametrize("kind", [NoRecorder, JournalRecorder])
def test_recorders_have_the_shape_of_the_protocol(kind):
    for name in ("problem", "repair", "proven", "recall", "offer", "seen", "decide", "survived", "open_offers"):
        wanted, has = inspect.signature(getattr(Recorder, name)), inspect.signature(getattr(kind, name))
        assert [(each.name, each.default) for each in wanted.parameters.values()] == [
            (each.name, each.default) for each in has.parameters.values()
        ]
        assert wanted.return_annotation == has.return_annotation
        assert inspect.iscoroutinefunction(getattr(kind, name))


async def test_no_recorder_remembers_nothing(done, harness):
    recorder = NoRecorder()
    await recorder.problem(done.problem)
    await recorder.repair(done, WHO, harness)
    assert await recorder.proven(done.problem) == ()
    assert await recorder.recall("assert 1 == 2") == ()


async def test_offers_work_without_a_journal(done, harness):
    recorder = NoRecorder()
    episode = await recorder.repair(done, WHO, harness)
    first, second = [await recorder.offer(episode, "action") for _ in range(2)]
    assert episode == ""
    assert first != second
    await recorder.seen(first)
    await recorder.decide(first, "rejected_with_correction", done.patch, source="inferred", reason="no")
    await recorder.survived(first, "save", Survival(3, 3))
    assert await recorder.open_offers() == ()


async def test_an_offer_of_a_real_repair_is_restored_as_it_was(kept, done, sandbox, harness):
    recorder = kept.recorder(sandbox, done.problem.snapshot)
    episode = await recorder.repair(done, WHO, harness)
    offer = await recorder.offer(episode, "action")
    again = kept.recorder(sandbox, done.problem.snapshot)
    (found,) = await again.open_offers()
    assert (found.id, found.episode, found.problem, found.check) == (offer, episode, done.problem.id, "tests")
    assert (found.findings, found.patch, found.verdict) == (done.problem.findings, done.patch, done.verdict)
    assert await again.open_offers(since=found.created + 1) == ()
    assert await kept.recorder(sandbox, Snapshot(done.problem.snapshot.root / "elsewhere")).open_offers() == ()
    await again.seen(offer)
    await again.decide(offer, "accepted")
    await again.survived(offer, "30s", Survival(3, 2))
    assert await again.open_offers() == ()
    (shown,) = queries.show(kept.journal, episode).offers
    assert [decision.kind for decision in shown.decisions] == ["accepted"]
    assert [(left.moment, left.tokens, left.kept) for left in shown.survivals] == [("30s", 3, 2)]


async def test_everything_of_a_real_repair_can_be_read_again(kept, done, sandbox, harness):
    recorder = kept.recorder(sandbox, done.problem.snapshot)
    await recorder.problem(done.problem)
    await recorder.repair(done, WHO, harness)
    record = queries.show(kept.journal, done.problem.id)
    assert (record.line.outcome, record.line.check, record.line.policy) == ("fixed", "tests", "played")
    assert (record.line.environment, record.line.harness) == (sandbox.environment.identity, harness.identity)
    assert (record.line.steps, record.line.prompt_tokens) == (done.usage.steps, done.usage.prompt_tokens)
    assert record.diff == done.patch.diff()
    assert record.fields["harness"]["fields"]["prompts"] == dict(harness.prompts)
    assert await recorder.proven(done.problem) == (done.patch,)


async def test_problem_alone_is_recorded_and_none_is_proven(kept, done, sandbox):
    recorder = kept.recorder(sandbox, done.problem.snapshot)
    await recorder.problem(done.problem)
    assert (queries.stats(kept.journal).problems, kept.outcomes) == (1, [])
    assert await recorder.proven(done.problem) == ()


async def test_patch_that_was_refused_is_neither_proven_nor_recalled(kept, snapshot_of, problem_of, play, sandbox, harness, told):
    problem = await problem_of(snapshot_of({"a": "needs one.py right"}))
    policy = play.policy(play.edit("one.py", "worse"), play.submit(repeat=0))
    refused = await repair(problem, policy, sandbox, harness, told)
    recorder = kept.recorder(sandbox, problem.snapshot)
    await recorder.repair(refused, WHO, harness)
    assert kept.outcomes == [(problem.id, "unfixed")]
    assert await recorder.proven(problem) == ()
    assert await recorder.recall("assert 1 == 2") == ()
    with pytest.raises(JournalError):
        await recorder.offer(queries.recent(kept.journal)[0].id, "action")


async def test_fix_is_recalled_from_the_next_run_on(kept, done, sandbox, harness):
    first = kept.recorder(sandbox, done.problem.snapshot)
    await first.repair(done, WHO, harness)
    second = kept.recorder(sandbox, Snapshot(done.problem.snapshot.root / "elsewhere"))
    (fix,) = await second.recall("assert 1 == 2", 5)
    assert isinstance(fix, PastFix)
    assert "+x = right" in fix.diff
    assert await second.recall("assert 1 == 2", 0) == ()


async def test_recorders_recall_fits_where_a_repair_takes_one(kept, done, sandbox, harness):
    recorder = kept.recorder(sandbox, done.problem.snapshot)
    await recorder.repair(done, WHO, harness)
    for recall in (recorder.recall, NoRecorder().recall, no_recall):
        wanted: Recall = recall
        assert isinstance(await wanted("assert 1 == 2", limit=1), tuple)
    assert await no_recall("assert 1 == 2") == ()
