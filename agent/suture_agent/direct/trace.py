"""Tracing the failing tests: which functions of the workspace ran, with what arguments and results."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import msgspec

from suture_agent.meter import Meter
from suture_sandbox.backend import Command
from suture_sandbox.checks import Check
from suture_sandbox.snapshot import Snapshot

TRACE_SECONDS = 60


class Call(msgspec.Struct, frozen=True, array_like=True):
    """One call as it was seen."""

    arguments: str
    result: str | None
    """`repr` of what it returned, or `raised ...`; None when it never ended."""


class TracedFunction(msgspec.Struct, frozen=True, kw_only=True):
    """A function that ran in a test."""

    path: str
    line: int
    name: str
    """Qualified name on Python >= 3.11, plain name before."""
    lines: tuple[int, ...] = ()
    calls: tuple[Call, ...] = ()


class TracedTest(msgspec.Struct, frozen=True, kw_only=True):
    """What ran in one test."""

    outcome: str
    functions: tuple[TracedFunction, ...] = ()


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """What ran in a set of tests; empty when tracing was not possible."""

    tests: dict[str, TracedTest] = {}


async def trace(meter: Meter, check: Check, snapshot: Snapshot, tests: Sequence[str]) -> Trace:
    """Run the test files of `tests` under the tracer; an empty trace when the check is not pytest or the run breaks down."""
    arguments = pytest_arguments(check)
    if arguments is None or not tests:
        return Trace()
    program = resources.files("suture_agent").joinpath("direct", "tracer.py").read_text(encoding="utf-8")
    files = sorted({test.split("::", 1)[0] for test in tests})
    argv = ("python", "-c", program, str(snapshot.root), "{report}", *arguments, *files)
    completed = await meter.run(snapshot, Command(argv=argv, seconds=min(check.timeout, TRACE_SECONDS)), memo=True)
    try:
        return msgspec.json.decode(completed.report, type=Trace)
    except msgspec.DecodeError:
        return Trace()


def pytest_arguments(check: Check) -> tuple[str, ...] | None:
    """The arguments that the check gives to pytest, its report left out; None when the check is not pytest."""
    command = check.command
    if command[:1] == ("pytest",):
        rest = command[1:]
    elif "-m" in command and command[command.index("-m") + 1 : command.index("-m") + 2] == ("pytest",):
        rest = command[command.index("-m") + 2 :]
    else:
        return None
    return tuple(argument for argument in rest if "{report}" not in argument)
