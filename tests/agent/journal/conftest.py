"""Material for the journal's tests: a finished repair like those of a real run, and a journal in a folder of the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from suture_agent.harness import PRESETS
from suture_agent.journal.store import Journal
from suture_agent.meter import Turn, Usage
from suture_agent.policies import ChatRequest, Choice, Completion, Message, PolicyIdentity, ToolCall, ToolSchema
from suture_agent.problem import Problem
from suture_agent.repair import Repair
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.findings import Finding
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target, Verdict

BEFORE = b"def total(prices):\n    return sum(prices) - 1\n"
AFTER = b"def total(prices):\n    return sum(prices)\n"
MakeRepair = Callable[..., Repair]


def _turns(note: str) -> tuple[Turn, ...]:
    system = Message(role="system", content="You repair code.")
    asked = Message(role="user", content=f"tests/test_shop.py fails. {note}")
    call = ToolCall(id="1", name="read_file", arguments='{"path": "shop.py"}')
    tool = ToolSchema(name="read_file", description="Read a file.", parameters={"type": "object"})
    first = ChatRequest(messages=(system, asked), tools=(tool,), seed=3)
    reply = Message(role="tool", content=BEFORE.decode(), tool_call_id="1", name="read_file")
    second = ChatRequest(messages=(system, asked, Message(role="assistant", tool_calls=(call,)), reply), tools=(tool,), seed=3)
    return (
        Turn(request=first, completion=Completion(choices=(Choice(tool_calls=(call,), finish="tool_calls"),), prompt_tokens=20)),
        Turn(request=second, completion=Completion(choices=(Choice(text="Done."),), prompt_tokens=40, completion_tokens=7)),
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "shop.py").write_bytes(BEFORE)
    return root


@pytest.fixture
def environment() -> Environment:
    return Environment(
        EnvironmentFields(os={"id": "debian"}, toolchain={"version": "3.11"}), Runtime(python="/p", search_path=(), readonly=())
    )


@pytest.fixture
def policy() -> PolicyIdentity:
    return PolicyIdentity(name="played", base="b" * 64, adapter="a" * 64, server="scripted 1")


@pytest.fixture
def make_repair(workspace: Path) -> MakeRepair:
    def make(
        number: int = 0,
        *,
        outcome: str = "fixed",
        message: str = "assert 9 == 10",
        note: str = "",
        after: bytes | None = AFTER,
        before: bytes | None = BEFORE,
        passed: bool = True,
        reason: str = "",
    ) -> Repair:
        place = Range(Position(number, 0), Position(number, 4))
        finding = Finding(
            check="tests", path="shop.py", range=place, code="AssertionError", message=message, test=f"tests/test_shop.py::test_{number}"
        )
        problem = Problem(id=f"{number:012x}", snapshot=Snapshot(workspace), target=Target(check="tests", findings=(finding,)), before=())
        patch = Patch((FileEdit(path="shop.py", before=before, after=after),)) if outcome == "fixed" else None
        verdict = Verdict(passed=passed, reruns=3, fixed=(finding.test,), seconds=0.5) if patch else None
        usage = Usage(steps=2, prompt_tokens=60, completion_tokens=7, cached_tokens=20, seconds_policy=0.3, seconds_sandbox=0.6)
        return Repair(
            problem=problem,
            outcome=outcome,  # type: ignore[arg-type]  # tests name outcomes as text
            reason=reason,
            patch=patch,
            verdict=verdict,
            turns=_turns(note),
            usage=usage,
            seconds=1.25,
        )

    return make


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "journal.sqlite3"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    opened = Journal.open(path)
    yield opened
    opened.close()


@pytest.fixture
def keep(environment: Environment, policy: PolicyIdentity) -> Callable[[Journal, Repair], str]:
    """Write a repair the way a run does, and return the episode's identifier."""
    from suture_agent.journal.entries import episode_entry, run_entry

    def write(journal: Journal, done: Repair) -> str:
        run = run_entry(journal.identifier(), done.problem.snapshot.root, journal.level)
        return journal.write_episode(run, episode_entry(done, environment, policy, PRESETS["agent"], journal.level))

    return write
