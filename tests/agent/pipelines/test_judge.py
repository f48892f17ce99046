"""The judge can only refuse: what it says is recorded, counted and part of the harness, and what the sandbox refuses never reaches it."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from suture_agent.errors import PolicyUnavailable
from suture_agent.events import StepDone
from suture_agent.harness import harness_for, judge_field
from suture_agent.pipelines import Judgement
from suture_agent.pipelines.judge import LONGEST_PATCH, Judge, close_both, read_answer, started
from suture_agent.policies import PolicyIdentity
from suture_agent.policies.lora import Lora
from suture_agent.policies.scripted import Script, ScriptedPolicy
from suture_agent.repair import repair
from suture_sandbox.errors import ConfigurationError

SIMPLE = "test_a\n  one.py right AssertionError\n"


@pytest.fixture
def judged(play, full):
    """A judge that plays these answers, and the harness in a pipeline that names it."""

    async def make(*turns, pipeline: str = "full"):
        policy = play.policy(*turns, tools=False)
        judge = Judge(policy)
        harness = full if pipeline == "full" else harness_for(play.policy().capability)
        return policy, judge, msgspec.structs.replace(harness, judge=await judge.start())

    return make


@pytest.mark.parametrize("pipeline", ["full", "simplified"])
async def test_accepted_patch_is_fixed_and_the_answer_is_recorded(snapshot_of, play, run, judged, told, pipeline):
    asked, judge, harness = await judged(play.says("ACCEPT, it mends the cause."), pipeline=pipeline)
    policy = play.policy(play.edit("one.py", "right"), play.submit())
    done = await run(snapshot_of(SIMPLE, {"one": "x = wrong\n"}), policy, harness=harness, judge=judge)
    assert done.outcome == "fixed"
    assert done.course.judged == (Judgement(accepted=True, reason="it mends the cause.", turn=2),)
    assert [turn.by for turn in done.turns] == ["policy", "policy", "judge"]
    assert done.turns[2].completion.choices[0].text == "ACCEPT, it mends the cause."
    (request,) = asked.requests
    assert "+x = right" in request.messages[1].content
    assert "AssertionError: one.py is wrong" in request.messages[1].content
    assert (done.usage.steps, request.tools) == (2, ())
    assert done.usage.prompt_tokens == sum(turn.completion.prompt_tokens for turn in done.turns)
    assert [event.tool for event in told.of(StepDone)][-1] == "judge"


async def test_refused_patch_did_not_pass_and_the_policy_is_told_why(snapshot_of, play, run, judged):
    _, judge, harness = await judged(play.says("REFUSE: it hides the error.", repeat=5), play.says("ACCEPT"))
    policy = play.policy(play.edit("one.py", "right"), play.submit(repeat=5), play.edit("one.py", "right"), play.submit())
    done = await run(snapshot_of(SIMPLE, {"one": "x = wrong\n"}), policy, harness=harness, judge=judge)
    assert done.outcome == "fixed"
    first, second = done.course.steps
    assert (first.outcome, first.reason) == ("reverted", "the judge refuses it: it hides the error.")
    assert (second.outcome, second.attempt) == ("fixed", 1)
    assert [each.accepted for each in done.course.judged] == [False] * 5 + [True]
    assert policy.requests[2].messages[-1].content.startswith("not accepted: the judge refuses it: it hides the error.")


async def test_patch_that_is_refused_to_the_end_is_not_fixed_and_its_verdict_did_not_pass(snapshot_of, play, run, judged):
    _, judge, harness = await judged(play.says("REFUSE", repeat=0), pipeline="simplified")
    policy = play.policy(play.edit("one.py", "right"), play.submit(repeat=0))
    done = await run(snapshot_of(SIMPLE, {"one": "x = wrong\n"}), policy, harness=harness, judge=judge)
    assert (done.outcome, done.verdict.passed) == ("unfixed", False)
    assert done.verdict.reason == "the judge refuses it: no reason given"


async def test_what_the_sandbox_refuses_never_reaches_the_judge(snapshot_of, play, run, judged):
    asked, judge, harness = await judged(play.says("ACCEPT", repeat=0), pipeline="simplified")
    policy = play.policy(play.edit("one.py", "worse"), play.submit(repeat=0))
    done = await run(snapshot_of(SIMPLE, {"one": "x = wrong\n"}), policy, harness=harness, judge=judge)
    assert (done.outcome, asked.requests) == ("unfixed", [])


async def test_judge_that_is_down_is_infrastructure(snapshot_of, play, run, judged):
    _, judge, harness = await judged(play.fails(message="no judge"))
    policy = play.policy(play.edit("one.py", "right"), play.submit())
    done = await run(snapshot_of(SIMPLE, {"one": "x = wrong\n"}), policy, harness=harness, judge=judge)
    assert (done.outcome, done.failed, done.reason) == ("infrastructure", "policy", "no judge")


async def test_unclear_answer_is_asked_for_once_more_and_then_is_no_yes(snapshot_of, play, run, judged):
    asked, judge, harness = await judged(play.says("Hmm."), play.says("accept"), play.says("Well,", repeat=0), pipeline="simplified")
    snapshot = snapshot_of(SIMPLE, {"one": "x = wrong\n"})
    for outcome in ("fixed", "unfixed"):
        policy = play.policy(play.edit("one.py", "right"), play.submit(repeat=0))
        done = await run(snapshot, policy, harness=harness, judge=judge)
        assert done.outcome == outcome
    assert done.course.judged[0].reason == "the judge said neither ACCEPT nor REFUSE"
    assert [request.seed for request in asked.requests[:4]] == [0, 1, 0, 1]


async def test_patch_that_is_too_long_to_be_read_is_refused_unasked(snapshot_of, play, run, judged):
    asked, judge, harness = await judged(play.says("ACCEPT", repeat=0), pipeline="simplified")
    policy = play.policy(play.edit("one.py", "right\n" + f"# {'long ' * 8}\n" * (LONGEST_PATCH // 40)), play.submit(repeat=0))
    done = await run(snapshot_of(SIMPLE, {"one": "x = wrong\n"}), policy, harness=harness, judge=judge)
    assert (done.outcome, asked.requests) == ("unfixed", [])
    assert "longer than" in done.course.judged[0].reason


async def test_harness_and_judge_belong_together(snapshot_of, play, run, judged, full):
    asked, judge, harness = await judged(play.says("REFUSE", repeat=0))
    snapshot = snapshot_of(SIMPLE, {"one": "x = wrong\n"})
    with pytest.raises(ConfigurationError, match="names a judge"):
        await run(snapshot, play.policy(), harness=harness)
    policy = play.policy(play.edit("one.py", "right"), play.submit())
    assert (await run(snapshot, policy, harness=full, judge=judge)).outcome == "fixed"
    assert asked.requests == []


def test_field_names_the_judge_and_changes_with_everything_that_it_is():
    one = PolicyIdentity(name="qwen", base="b")
    assert judge_field(one).startswith("qwen ")
    assert judge_field(one) != judge_field(msgspec.structs.replace(one, adapter="a"))
    assert judge_field(one) == judge_field(PolicyIdentity(name="qwen", base="b"))


async def test_policy_and_judge_are_started_and_closed_together(play, sandbox):
    class Watched:
        def __init__(self, *, good: bool = True) -> None:
            self.capability, self.closed, self._good = play.policy().capability, 0, good

        async def start(self) -> PolicyIdentity:
            if not self._good:
                raise PolicyUnavailable("down")
            return PolicyIdentity(name="watched")

        async def complete(self, request, on_text=None):
            raise AssertionError

        async def close(self) -> None:
            self.closed += 1

    policy, other = Watched(), Watched()
    identity, harness = await started(policy, lambda known, _identity: harness_for(known.capability), Judge(other))
    assert (identity.name, harness.judge) == ("watched", judge_field(identity))
    _, plain = await started(policy, lambda known, _identity: harness_for(known.capability), None)
    assert plain.judge == "off"
    with pytest.raises(PolicyUnavailable):
        await started(policy, lambda known, _identity: harness_for(known.capability), Judge(Watched(good=False)))
    await close_both(Judge(other), policy)
    await close_both(Judge(policy, shared=True), policy)
    await close_both(None, policy)
    assert (policy.closed, other.closed) == (3, 1)


@pytest.mark.parametrize(
    ("text", "judgement"),
    [
        ("ACCEPT", Judgement(accepted=True)),
        ("**Accept**: fine", Judgement(accepted=True, reason="fine")),
        ("Accepted.", Judgement(accepted=True)),
        ("<think>REFUSE? no</think>\nACCEPT", Judgement(accepted=True)),
        ("REFUSE: it deletes\na test", Judgement(accepted=False, reason="it deletes a test")),
        ("refused", Judgement(accepted=False, reason="no reason given")),
        ("I would ACCEPT this", None),
        ("acceptance", None),
        ("", None),
    ],
)
def test_answers(text, judgement):
    assert read_answer(text) == judgement


async def test_simplified_repair_without_a_judge_has_an_empty_course(snapshot_of, play, sandbox, told):
    from suture_agent.problem import problems_in

    snapshot = snapshot_of(SIMPLE, {"one": "x = wrong\n"})
    (problem,) = problems_in(snapshot, await sandbox.check_all(snapshot))
    policy = play.policy(play.edit("one.py", "right"), play.submit())
    done = await repair(problem, policy, sandbox, harness_for(policy.capability), told)
    assert (done.outcome, done.course.steps, done.course.judged) == ("fixed", (), ())


async def test_a_judge_that_repairs_as_well_is_one_with_and_without_an_adapter():
    policy = ScriptedPolicy(Script())
    adapted = policy.adapted(Lora(digest="ab" * 32, label="one", folder=Path("/nowhere")))
    bare = await Judge(policy, shared=True).start()
    assert await Judge(adapted, shared=True).start() == bare
    assert await Judge(adapted).start() != bare
