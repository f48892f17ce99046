"""The conversation with tools: what the policy is told, how it goes on after mistakes, how every budget ends it, and the final proof."""

from __future__ import annotations

import asyncio
import shlex
import sys

import msgspec
import pytest

from suture_agent.events import StepDone, VerdictReached
from suture_agent.harness import Budgets, harness_for
from suture_agent.policies.scripted import ScriptedCall, ScriptedTurn
from suture_agent.problem import problems_in
from suture_agent.repair import repair
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.local import LocalBackend
from suture_sandbox.memory import MemoryBackend
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

BROKEN = {"a": "needs one.py right", "b": "pass"}
LONG = tuple(f"--option-{number}=a b" for number in range(60))


def calls(*pairs: tuple[str, object], **when: object) -> ScriptedTurn:
    """One answer with these calls; arguments as text are sent as they stand."""
    made = tuple(ScriptedCall(name=name, arguments=arguments) for name, arguments in pairs)  # type: ignore[arg-type]
    return ScriptedTurn(calls=made, **when)  # type: ignore[arg-type]


def edit(path: str, search: str, replace: str) -> tuple[str, object]:
    return "edit_file", {"path": path, "search": search, "replace": replace}


SUBMIT = ("submit", {})


class Run:
    """What became of an episode over the in-memory backend."""

    def __init__(self, done, policy, told) -> None:
        self.done, self.policy, self.told = done, policy, told

    @property
    def messages(self):
        """The whole conversation, the last answer left out."""
        return self.policy.requests[-1].messages

    @property
    def replies(self) -> list[str]:
        return [message.content for message in self.messages if message.role == "tool"]


@pytest.fixture
def play_out(snapshot_of, problem_of, play, sandbox, harness, told, tools):
    """Run an episode of these turns on the workspace of these tests."""

    async def shell(view, argv) -> int:
        for line in argv[1].splitlines():
            word, _, rest = line.partition(" ")
            if word == "burn":
                raise SandboxFailed("the machine is on fire")
            if word == "hang":
                await asyncio.Event().wait()
            path, _, text = rest.partition(" ")
            if word == "write":
                view.write(path, text.encode())
        return 0

    async def run(*turns, tests=BROKEN, checks=None, budgets: Budgets | None = None, reply: str | None = None) -> Run:
        problem = await problem_of(snapshot_of(tests))
        fields = msgspec.structs.replace(sandbox.environment.fields, checks=checks or sandbox.environment.fields.checks)
        backend = MemoryBackend({"testtool": tools.test, "linttool": tools.lint, "sh": shell})
        own = Sandbox(backend, Environment(fields, sandbox.environment.runtime))
        policy = play.policy(*turns)
        chosen = msgspec.structs.replace(harness, budgets=budgets or harness.budgets, timeout_reply=reply or msgspec.UNSET)
        tools.runs.clear()
        return Run(await repair(problem, policy, own, chosen, told), policy, told)

    return run


async def test_policy_is_told_the_whole_command_the_failure_and_the_other_checks(play_out, sandbox):
    checks = dict(sandbox.environment.fields.checks)
    checks["tests"] = msgspec.structs.replace(checks["tests"], command=("testtool", "{report}", *LONG))
    run = await play_out(calls(SUBMIT, repeat=0), checks=checks, budgets=Budgets(steps=1, tokens=100))
    system, asked = run.messages
    assert (system.role, asked.role) == ("system", "user")
    command = next(line for line in asked.content.splitlines() if line.startswith("testtool "))
    assert len(command) > 900
    assert shlex.split(command) == ["testtool", "/tmp/report", *LONG]
    assert "The check `tests` fails" in asked.content
    assert "tests.txt:1: tests.txt::a: E   assert 1 == 2" in asked.content
    assert "lint (lint)" in asked.content
    assert "tests.txt::b" not in asked.content
    assert [schema.name for schema in run.policy.requests[0].tools][-1] == "submit"


async def test_command_of_the_policy_runs_whole_and_only_its_note_is_cut(play_out):
    command = f"write one.py {'right ' * 100}"
    run = await play_out(calls(("run_shell", {"command": command})), calls(SUBMIT))
    assert run.done.outcome == "fixed", run.done.reason
    assert run.done.patch.edits[0].after == ("right " * 100).encode()
    assert all(len(event.note) <= 80 for event in run.told.of(StepDone))


async def test_every_call_is_answered_in_order_and_under_its_own_name(play_out):
    first = calls(("find_files", {"pattern": "*"}), ("nothing", {}), edit("one.py", "wrong", "right"))
    run = await play_out(first, calls(SUBMIT))
    assert run.done.outcome == "fixed"
    answer = run.messages[2]
    replies = run.messages[3:]
    assert answer.role == "assistant"
    assert [(reply.tool_call_id, reply.name) for reply in replies] == [(call.id, call.name) for call in answer.tool_calls]
    assert replies[0].content == "one.py\ntests.txt"
    assert replies[1].content.startswith("error: there is no tool 'nothing'")
    assert replies[2].content.startswith("edited one.py")
    assert [event.tool for event in run.told.of(StepDone)] == ["policy", "find_files", "nothing", "edit_file", "policy"]


async def test_calls_after_a_refused_submission_are_answered_too(play_out):
    hasty = calls(edit("one.py", "wrong", "worse"), SUBMIT, edit("one.py", "worse", "right"), SUBMIT)
    run = await play_out(hasty, calls(edit("one.py", "worse", "right")), calls(SUBMIT))
    assert run.done.outcome == "fixed"
    replies = run.policy.requests[1].messages[3:]
    assert [reply.tool_call_id for reply in replies] == [call.id for call in run.policy.requests[1].messages[2].tool_calls]
    assert replies[1].content.startswith("not accepted: still failing: tests.txt::a\ntests: failed\n")
    assert [reply.content for reply in replies[2:]] == ["error: not carried out, submit came before it"] * 2


async def test_malformed_calls_are_answered_and_the_episode_goes_on(play_out):
    run = await play_out(
        calls(("edit_file", '{"path": "one.py", "search": "wro')),
        calls(("edit_file", "")),
        calls(("edit_file", {"path": "one.py", "search": "wrong", "replace": "right", "reason": "because"})),
        calls(("run_check", {"name": "test"})),
        ScriptedTurn(text="I think that I am done."),
        calls(edit("one.py", "wrong", "right")),
        calls(SUBMIT),
    )
    assert run.done.outcome == "fixed"
    assert all(reply.startswith("error: ") for reply in run.replies[:4])
    nagged = next(message for message in run.messages[2:] if message.role == "user")
    assert nagged.content.startswith("error: call a tool.")
    assert len(run.policy.requests) == 7


async def test_refused_edit_beside_a_good_one_leaves_no_trace(play_out):
    tests = {**BROKEN, "c": "needs two.py wrong"}
    run = await play_out(calls(edit("one.py", "wrong", "right"), edit("two.py", "wrongly", "gone")), calls(SUBMIT), tests=tests)
    assert run.replies[1].startswith("error: `search` does not occur in two.py")
    assert run.done.outcome == "fixed"
    assert run.done.patch.paths == ("one.py",)


async def test_final_proof_runs_the_original_tests_whatever_the_policy_saw_pass(play_out, tools):
    tests = {"a": "needs one.py right", "b": "needs two.py wrong"}
    both = calls(edit("one.py", "wrong", "right"), edit("two.py", "wrong", "gone"))
    narrow = calls(("run_check", {"name": "tests", "tests": ["tests.txt::a"]}))
    run = await play_out(both, narrow, calls(SUBMIT), calls(edit("two.py", "gone", "wrong")), calls(SUBMIT), tests=tests)
    assert "tests: passed" in run.replies
    assert "tests.txt::b" in run.replies[-2]
    assert run.done.outcome == "fixed"
    assert run.done.patch.paths == ("one.py",)
    proof, controls_and_shaken = tools.runs[-8:-4], tools.runs[-4:]
    assert proof == [("a",), (), (), ()]
    assert controls_and_shaken == [("a",)] * 4


@pytest.mark.parametrize(
    ("budgets", "requests", "reason"),
    [
        (Budgets(steps=7, tokens=10_000), 7, "7 requests to the policy are used up"),
        (Budgets(steps=50, tokens=20), 4, "20 generated tokens are used up"),
    ],
)
async def test_policy_that_never_stops_calling_tools_runs_out_of_budget(play_out, budgets, requests, reason):
    run = await play_out(calls(("read_file", {"path": "one.py"}), repeat=0), budgets=budgets)
    assert (run.done.outcome, run.done.reason, run.done.patch.edits) == ("unfixed", reason, ())
    assert len(run.policy.requests) == requests
    assert run.told.of(VerdictReached) == []


async def test_what_was_edited_before_the_budget_ran_out_is_proven(play_out):
    turns = (calls(edit("one.py", "wrong", "right")), calls(("read_file", {"path": "one.py"}), repeat=0))
    run = await play_out(*turns, budgets=Budgets(steps=3, tokens=1000))
    assert (run.done.outcome, run.done.reason) == ("fixed", "")
    assert run.done.verdict.reruns == 3


async def test_edit_that_does_not_hold_is_refused_when_the_budget_runs_out(play_out):
    run = await play_out(calls(edit("one.py", "wrong", "worse")), budgets=Budgets(steps=1, tokens=1000))
    assert (run.done.outcome, run.done.reason) == ("unfixed", "1 requests to the policy are used up")
    assert run.done.verdict.reason == "still failing: tests.txt::a"
    assert run.done.patch.paths == ("one.py",)


async def test_context_that_is_full_ends_the_episode_and_keeps_the_edit(play_out, play):
    run = await play_out(calls(edit("one.py", "wrong", "right")), play.fails("overflow"))
    assert run.done.outcome == "fixed"
    assert len(run.policy.requests) == 2


async def test_policy_that_submits_the_same_again_and_again_is_stopped(play_out, tools):
    run = await play_out(calls(edit("one.py", "wrong", "worse")), calls(SUBMIT, repeat=0))
    assert (run.done.outcome, run.done.reason) == ("unfixed", "5 submissions were refused")
    assert len(run.policy.requests) == 6


async def test_submission_without_an_edit_costs_no_proof(play_out, tools):
    run = await play_out(calls(SUBMIT, repeat=0), budgets=Budgets(steps=8, tokens=1000))
    assert run.done.outcome == "unfixed"
    assert set(run.replies) == {"error: you have not edited anything yet"}
    assert tools.runs == []


async def test_command_that_never_ends_costs_its_time_and_no_more(play_out):
    turns = (calls(("run_shell", {"command": "hang"})), calls(edit("one.py", "wrong", "right"), SUBMIT))
    run = await asyncio.wait_for(play_out(*turns, budgets=Budgets(steps=9, tokens=1000, tool_seconds=1)), 20)
    assert run.done.outcome == "fixed"
    assert run.replies[0] == "(no output)\n(stopped: timeout)\nits changes are not kept"


@pytest.mark.parametrize("turn", [calls(("run_shell", {"command": "hang"})), calls(("run_check", {"name": "tests"}))])
async def test_tool_whose_time_is_up_is_answered_with_the_harnesss_own_word(play_out, tools, turn):
    seen: list[None] = []

    def second(_view) -> bool:
        seen.append(None)  # the first run finds the problem
        return len(seen) == 2 and turn.calls[0].name == "run_check"

    tools.hangs = second
    budgets = Budgets(steps=9, tokens=1000, tool_seconds=0)
    turns = (turn, calls(edit("one.py", "wrong", "right"), SUBMIT))
    run = await asyncio.wait_for(play_out(*turns, tests={"a": "needs one.py right"}, budgets=budgets, reply="tooltimeout"), 60)
    assert run.replies[0] == "tooltimeout"
    assert run.done.outcome == "fixed"


@pytest.mark.parametrize(
    ("turn", "said"), [(calls(("run_shell", {"command": "burn"})), "the machine is on fire"), (None, "the scripted server is down")]
)
async def test_machine_or_policy_that_fails_is_no_failed_fix(play_out, play, turn, said):
    run = await play_out(calls(edit("one.py", "wrong", "right")), turn or play.fails())
    assert (run.done.outcome, run.done.reason) == ("infrastructure", said)
    assert run.done.verdict is None


async def test_real_sandbox_runs_the_policys_commands_and_proves_what_they_wrote(tmp_path, play, told):
    root = tmp_path / "a shop é"
    root.mkdir()
    (root / "cart.py").write_text("def total(prices):\n    return str(prices)\n")
    (root / "test_cart.py").write_text("from cart import total\n\n\ndef test_two():\n    assert total([1, 2]) == 3\n")
    command = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junit-xml={report}")
    check = Check(name="tests", kind="tests", command=command, report="pytest", selectable=True, tool="pytest")
    runtime = Runtime(python=sys.executable, search_path=(f"{sys.prefix}/bin", "/usr/bin", "/bin"), readonly=(sys.prefix, sys.base_prefix))
    sandbox = Sandbox(LocalBackend(), Environment(EnvironmentFields(checks={"tests": check}), runtime, Limits(seconds=60, memory_mib=512)))
    snapshot = Snapshot(root)
    (problem,) = problems_in(snapshot, await sandbox.check_all(snapshot))
    words = " ".join(f"word{number}" for number in range(200))
    scripts = (
        f"echo {words} | wc -w; echo out > ../outside.txt; echo secret > /etc/suture-was-here",
        "(sleep 300 &) ; echo '# note' >> cart.py; ls /etc/suture-was-here",
        "while :; do :; done",
        "head -c 300000 /dev/zero | tr '\\0' x",
        "printf 'def total(prices):\\n    return sum(prices)\\n' > cart.py",
    )
    shells = [calls(("run_shell", {"command": script})) for script in scripts]
    policy = play.policy(
        *shells, calls(("find_text", {"text": "def +t\\w+", "regex": True})), calls(("run_check", {"name": "tests"})), calls(SUBMIT)
    )
    harness = harness_for(policy.capability)
    harness = msgspec.structs.replace(harness, reruns=1, budgets=msgspec.structs.replace(harness.budgets, tool_seconds=2))
    done = await repair(problem, policy, sandbox, harness, told)
    await sandbox.close()
    replies = [message.content for message in policy.requests[-1].messages if message.role == "tool"]
    assert replies[0].startswith("200\n")
    assert "No such file" in replies[1]
    assert replies[1].endswith("kept your change of cart.py")
    assert replies[2] == "(no output)\n(stopped: timeout)\nits changes are not kept"
    assert "characters left out" in replies[3]
    assert len(replies[3]) < 7000
    assert replies[5] == "cart.py:1: def total(prices):\ntest_cart.py:4: def test_two():"
    assert replies[6] == "tests: passed"
    assert done.outcome == "fixed", done.reason
    assert [(edit.path, edit.after) for edit in done.patch.edits] == [("cart.py", b"def total(prices):\n    return sum(prices)\n")]
    assert sorted(path.name for path in tmp_path.iterdir()) == [root.name]
