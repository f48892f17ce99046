"""A workspace with a pretend test tool that stops at the first thing that is wrong, as a parser, an import and a test do.

The tool reads `tests.txt`. A line that begins with `!` is looked at while everything is loaded: where it does not hold nothing is run. A
line without indent names a test, the lines below it are what it looks at, in order. Each says `FILE WORD ERROR`: FILE must hold WORD, else
it fails on that line with that error.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import msgspec
import pytest

from suture_agent.harness import Harness, as_full, harness_for
from suture_agent.problem import Problem, problems_in
from suture_agent.repair import Repair, repair
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

TESTS = Check(name="tests", kind="tests", command=("testtool", "{report}"), report="junit", timeout=30, selectable=True)
LINT = Check(name="lint", kind="lint", command=("linttool",), report="generic", timeout=30)


class Fault(msgspec.Struct):
    """What a test stops at."""

    line: int
    path: str
    error: str


class TestTool:
    """The pretend test tool, and how often it ran."""

    __test__ = False

    def __init__(self) -> None:
        self.runs = 0
        self.on_run: Callable[[View], Awaitable[None]] | None = None

    async def __call__(self, view: View, argv: tuple[str, ...]) -> int:
        self.runs += 1
        if self.on_run is not None:
            await self.on_run(view)
        lines = view.read("tests.txt").decode().splitlines()
        loading = self._first(view, [(number, line[1:]) for number, line in enumerate(lines, 1) if line.startswith("!")])
        if loading is not None:
            cases, failed = [_case("", "tests", _text(loading, "<module>"), collected=False)], True
        else:
            ran = [(name, self._first(view, steps)) for name, steps in _tests(lines)]
            chosen = [(name, fault) for name, fault in ran if len(argv) < 2 or f"tests.txt::{name}" in argv[1:]]
            cases = [_case("tests", name, _text(fault, name) if fault else "") for name, fault in chosen]
            failed = any(fault for _, fault in chosen)
        view.write(argv[0], f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode())
        return 1 if failed else 0

    def _first(self, view: View, steps: list[tuple[int, str]]) -> Fault | None:
        return next((Fault(number, line.split()[0], line.split()[2]) for number, line in steps if not self._holds(view, line)), None)

    @staticmethod
    def _holds(view: View, line: str) -> bool:
        path, word, _ = line.split()
        return word in view.read(path).decode().split()


def _tests(lines: list[str]) -> list[tuple[str, list[tuple[int, str]]]]:
    found: list[tuple[str, list[tuple[int, str]]]] = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith((" ", "!")):
            found.append((line.strip(), []))
        elif line.startswith(" "):
            found[-1][1].append((number, line))
    return found


def _text(fault: Fault, where: str) -> str:
    return f"tests.txt:{fault.line}: in {where}\n{fault.path}:1: in load\nE   {fault.error}: {fault.path} is wrong"


def _case(classname: str, name: str, text: str, *, collected: bool = True) -> str:
    message = "failed" if collected else "collection failure"
    inner = f"<{'failure' if collected else 'error'} message={quoteattr(message)}>{escape(text)}</{'failure' if collected else 'error'}>"
    file = ' file="tests.txt"' if collected else ""
    return f"<testcase{file} classname={quoteattr(classname)} name={quoteattr(name)}>{inner if text else ''}</testcase>"


async def lint(view: View, argv: tuple[str, ...]) -> int:
    found = [
        (path, number)
        for path in view.list()
        if path.endswith(".py")
        for number, line in enumerate(view.read(path).decode().splitlines(), 1)
        if "ugly" in line.split()
    ]
    for path, number in found:
        view.print(f"{path}:{number}:1: error: ugly word\n")
    return 1 if found else 0


@pytest.fixture
def tool() -> TestTool:
    return TestTool()


@pytest.fixture
def sandbox(tool: TestTool) -> Sandbox:
    backend = MemoryBackend({"testtool": tool, "linttool": lint})
    fields = EnvironmentFields(checks={"lint": LINT, "tests": TESTS})
    return Sandbox(backend, Environment(fields=fields, runtime=Runtime(python="/usr/bin/python3", search_path=("/usr/bin",), readonly=())))


@pytest.fixture
def snapshot_of(tmp_path: Path) -> Callable[..., Snapshot]:
    """A workspace with these tests and these Python files."""

    def make(tests: str, files: Mapping[str, str]) -> Snapshot:
        root = tmp_path / "shop"
        root.mkdir()
        (root / "tests.txt").write_text(tests)
        for name, text in files.items():
            (root / f"{name}.py").write_text(text)
        return Snapshot(root)

    return make


@pytest.fixture
def full(play) -> Harness:
    """The `agent` preset in the pipeline `full`."""
    return as_full(harness_for(play.policy().capability))


@pytest.fixture
def run(sandbox: Sandbox, told, full: Harness) -> Callable[..., Awaitable[Repair]]:
    """Repair the first problem of a snapshot, or of the check that is named, in the pipeline `full`."""

    async def go(snapshot: Snapshot, policy, *, harness: Harness = full, check: str = "tests", events=told, **more) -> Repair:
        problem = await first_problem(sandbox, snapshot, check)
        return await repair(problem, policy, sandbox, harness, events, **more)

    return go


async def first_problem(sandbox: Sandbox, snapshot: Snapshot, check: str = "tests") -> Problem:
    return problems_in(snapshot, await sandbox.check_all(snapshot), only=(check,))[0]
