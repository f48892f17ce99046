"""The meter counts what is spent, stops what would be too much, and tells every step; events become their documented lines."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from suture_agent.errors import BudgetSpent, PolicyError
from suture_agent.events import ProblemDropped, ProblemFound, Progress, RepairDone, StepDone, VerdictReached, to_json
from suture_agent.harness import Budgets
from suture_agent.meter import Meter, Usage
from suture_agent.policies import ChatRequest, Message
from suture_sandbox.backend import Command
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.findings import Finding
from suture_sandbox.guard import GuardFinding
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Verdict

ASK = ChatRequest(messages=(Message(role="user", content="mend it"),))


@pytest.fixture
def meter_of(sandbox, harness, told, play):
    def make(*turns, **budgets: int) -> Meter:
        policy = play.policy(*turns)
        return Meter(
            "p1", policy, sandbox, msgspec.structs.replace(harness, budgets=Budgets(**{"steps": 9, "tokens": 999, **budgets})), told
        )

    return make


async def test_requests_and_tokens_add_up(meter_of, play, told):
    meter = meter_of(play.says("x" * 40), play.says("y" * 8))
    for _ in range(2):
        await meter.ask(ASK, "a note")
    assert (meter.usage.steps, meter.usage.prompt_tokens, meter.usage.completion_tokens) == (2, 4, 12)
    assert [(event.problem, event.step, event.tool, event.note) for event in told.events] == [
        ("p1", 1, "policy", "a note"),
        ("p1", 2, "policy", "a note"),
    ]
    assert [turn.completion.choices[0].text[0] for turn in meter.turns] == ["x", "y"]


async def test_request_beyond_the_steps_is_not_sent(meter_of, play, told):
    meter = meter_of(play.says("x", repeat=0), steps=2)
    await meter.ask(ASK)
    await meter.ask(ASK)
    with pytest.raises(BudgetSpent, match="2 requests"):
        await meter.ask(ASK)
    assert (len(meter.turns), len(told.events), meter.usage.steps) == (2, 2, 2)


async def test_request_after_the_last_token_is_not_sent(meter_of, play):
    meter = meter_of(play.says("x" * 16, repeat=0), tokens=5)
    await meter.ask(ASK)
    await meter.ask(ASK)
    with pytest.raises(BudgetSpent, match="5 generated tokens"):
        await meter.ask(ASK)
    assert len(meter.turns) == 2


async def test_request_that_fails_is_no_turn_but_its_time_is_counted(meter_of, play, told):
    meter = meter_of(play.fails(delay=0.02))
    with pytest.raises(PolicyError):
        await meter.ask(ASK)
    assert (meter.turns, told.events, meter.usage.steps) == ([], [], 0)
    assert meter.usage.seconds_policy >= 0.02


async def test_waiting_for_the_policy_is_the_policys_time(meter_of, play):
    meter = meter_of(play.says("x", delay=0.02))
    await meter.ask(ASK)
    assert meter.usage.seconds_policy >= 0.02
    assert meter.usage.seconds_sandbox == 0


async def test_sandbox_time_is_counted_however_it_ends(meter_of, snapshot_of, sandbox, tools):
    meter = meter_of()
    snapshot = snapshot_of({"a": "pass"})
    assert (await meter.check(sandbox.check_named("tests"), snapshot, ["tests.txt::a"])).passed
    assert tools.runs == [("a",)]
    first = meter.usage.seconds_sandbox
    assert (await meter.run(snapshot, Command(argv=("nothing",)))).exit_code == 127
    second = meter.usage.seconds_sandbox
    tools.breaks = lambda _view: True
    with pytest.raises(SandboxFailed):
        await meter.check(sandbox.check_named("tests"), snapshot)
    third = meter.usage.seconds_sandbox
    tools.breaks, tools.hangs = lambda _view: False, lambda _view: True
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(meter.check(sandbox.check_named("tests"), snapshot), 0.02)
    meter.add_sandbox(100)
    assert 0 < first < second < third < third + 0.01 <= meter.usage.seconds_sandbox - 100
    assert msgspec.structs.replace(meter.usage, seconds_sandbox=0.0) == Usage()


async def test_budgets_are_an_episodes_and_usage_is_the_problems(meter_of, play):
    meter = meter_of(play.says("x" * 40, repeat=0), steps=2, tokens=15, tool_calls=1)
    for _ in range(2):
        meter.begin()
        meter.call()
        await meter.ask(ASK)
        await meter.ask(ASK)
        with pytest.raises(BudgetSpent, match="2 requests"):
            await meter.ask(ASK)
        with pytest.raises(BudgetSpent, match="1 tool calls are used up"):
            meter.call()
    assert (meter.usage.steps, meter.usage.completion_tokens, len(meter.turns)) == (4, 40, 4)


async def test_tool_calls_are_not_bounded_unless_the_budget_says_so(meter_of):
    meter = meter_of()
    for _ in range(1000):
        meter.call()


async def test_judge_is_counted_but_takes_nothing_from_the_episode(meter_of, play, told):
    meter = meter_of(play.says("mine"), steps=1, tokens=10)
    judge = play.policy(play.says("y" * 400, delay=0.02), play.fails())
    await meter.consult(judge, ASK, "on the patch")
    await meter.ask(ASK)
    assert (meter.usage.steps, meter.usage.completion_tokens) == (1, 101)
    assert [turn.by for turn in meter.turns] == ["judge", "policy"]
    assert [event.tool for event in told.events] == ["judge", "policy"]
    assert meter.usage.seconds_policy >= 0.02
    with pytest.raises(PolicyError):
        await meter.consult(judge, ASK)
    assert meter.conversation()[-1].content == "mine"


async def test_conversation_is_the_last_request_with_its_answer(meter_of, play):
    meter = meter_of(play.says("first"), play.edit("a.py", "b"))
    assert meter.conversation() == ()
    await meter.ask(ASK)
    await meter.ask(msgspec.structs.replace(ASK, messages=(*ASK.messages, Message(role="user", content="again")), prefill="pre"))
    asked, again, answer = meter.conversation()
    assert (asked.content, again.content, answer.role, answer.content) == ("mend it", "again", "assistant", "pre")
    assert answer.tool_calls[0].name == "edit_file"


FINDING = Finding(check="tests", path="a.py", range=Range(Position(0, 0), Position(0, 1)), message="m")
GUARD = GuardFinding(rule="tests", path="test_a.py", message="it edits a test")
LINES = [
    (ProblemFound(id="p", check="tests", findings=(FINDING, FINDING)), {"event": "problem", "id": "p", "check": "tests", "findings": 2}),
    (ProblemDropped(id="p", check="tests", reason="flaky"), {"event": "dropped", "id": "p", "check": "tests", "reason": "flaky"}),
    (
        StepDone(problem="p", step=3, tool="edit_file", seconds=0.12345),
        {"event": "step", "problem": "p", "step": 3, "tool": "edit_file", "seconds": 0.123, "note": ""},
    ),
    (
        VerdictReached(problem="p", verdict=Verdict(passed=False, reason="no", reruns=1, flaky=("f",), guard=(GUARD,), seconds=1.00049)),
        {
            "event": "verdict", "problem": "p", "passed": False, "reruns": 1, "fixed": [], "broken": [], "flaky": ["f"],
            "guard": [{"rule": "tests", "path": "test_a.py", "line": -1, "message": "it edits a test"}],
            "infrastructure": False, "reason": "no", "seconds": 1.0,
        },
    ),
    (
        RepairDone(problem="p", outcome="fixed", patch="x.diff", files=("a.py",), added=1, removed=1, steps=4, seconds=14.23456),
        {
            "event": "repair", "problem": "p", "outcome": "fixed", "patch": "x.diff", "files": ["a.py"], "added": 1,
            "removed": 1, "steps": 4, "prompt_tokens": 0, "completion_tokens": 0, "seconds": 14.235, "seconds_policy": 0.0,
            "seconds_sandbox": 0.0, "reason": "",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("event", "line"), LINES, ids=[line["event"] for _, line in LINES])
def test_event_is_its_documented_line(event, line):
    assert json.loads(json.dumps(to_json(event))) == line


def test_progress_is_for_people_only():
    assert to_json(Progress(phase="proving")) is None
