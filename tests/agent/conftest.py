"""A workspace with a pretend test tool over the in-memory backend, a scripted policy that uses tools, and what a run tells and records.

The tool reads `tests.txt` (lines `name: state`) and writes a JUnit report. A state is `pass`, `fail`, `once` (fails the first time),
`flaky` (fails every second time, the first one included), `needs FILE WORD` (passes when FILE holds WORD).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from suture_agent.events import Event, Progress
from suture_agent.harness import Harness, harness_for
from suture_agent.journal import queries
from suture_agent.journal.store import Journal
from suture_agent.policies.scripted import Script, ScriptedCall, ScriptedHeader, ScriptedPolicy, ScriptedTurn
from suture_agent.problem import Problem, problems_in
from suture_agent.record import JournalRecorder
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

TESTS = Check(name="tests", kind="tests", command=("testtool", "{report}"), report="junit", timeout=30, selectable=True)
LINT = Check(name="lint", kind="lint", command=("linttool",), report="generic", timeout=30)
RUNTIME = Runtime(python="/usr/bin/python3", search_path=("/usr/bin",), readonly=())


class Tools:
    """The pretend tools, what they were asked to run, and on what the machine fails or a run never ends."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, ...]] = []
        self.breaks: Callable[[View], bool] = lambda _view: False
        self.hangs: Callable[[View], bool] = lambda _view: False
        self.hanging = asyncio.Event()
        self._count: Counter[str] = Counter()

    async def test(self, view: View, argv: tuple[str, ...]) -> int:
        selected = argv[1:]
        self.runs.append(tuple(name.rpartition("::")[2] for name in selected))
        if self.breaks(view):
            raise SandboxFailed("the machine is on fire")
        if self.hangs(view):
            self.hanging.set()
            await asyncio.Event().wait()
        cases = [line.split(": ", 1) for line in view.read("tests.txt").decode().splitlines()]
        chosen = [(name, state) for name, state in cases if not selected or f"tests.txt::{name}" in selected]
        failed = [name for name, state in chosen if not self._passes(view, name, state)]
        report = "".join(_case(name, name in failed) for name, _ in chosen)
        view.write(argv[0], f"<testsuites><testsuite>{report}</testsuite></testsuites>".encode())
        return 1 if failed else 0

    def _passes(self, view: View, name: str, state: str) -> bool:
        self._count[name] += 1
        if state.startswith("needs "):
            _, file, word = state.split()
            return word in view.read(file).decode().split()
        passes = {"pass": True, "fail": False, "once": self._count[name] > 1, "flaky": self._count[name] % 2 == 0}
        return passes[state]

    async def lint(self, view: View, argv: tuple[str, ...]) -> int:
        bad = [(path, line) for path in view.list() if path.endswith(".py") for line in _lines_with(view.read(path).decode(), "bad")]
        for path, line in bad:
            view.print(f"{path}:{line}:1: error: bad word\n")
        return 1 if bad else 0


def _case(name: str, failed: bool) -> str:
    inner = '<failure message="assert 1 == 2">E   assert 1 == 2</failure>' if failed else ""
    return f'<testcase file="tests.txt" classname="tests" name={quoteattr(name)}>{inner}</testcase>'


def _lines_with(text: str, word: str) -> list[int]:
    return [number for number, line in enumerate(text.splitlines(), 1) if word in line.split()]


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture
def sandbox_of(tools: Tools) -> Callable[..., Sandbox]:
    """A sandbox whose environment has the pretend tools' checks, and whatever fields are given."""

    def make(**fields: object) -> Sandbox:
        backend = MemoryBackend({"testtool": tools.test, "linttool": tools.lint})
        checks = {"lint": LINT, "tests": TESTS}
        return Sandbox(backend, Environment(fields=EnvironmentFields(checks=checks, **fields), runtime=RUNTIME))  # type: ignore[arg-type]

    return make


@pytest.fixture
def sandbox(sandbox_of: Callable[..., Sandbox]) -> Sandbox:
    return sandbox_of()


@pytest.fixture
def snapshot_of(tmp_path: Path) -> Callable[..., Snapshot]:
    """A workspace with these tests, where every file that they need is wrong."""

    def make(tests: Mapping[str, str], **files: str) -> Snapshot:
        root = tmp_path / "shop"
        root.mkdir()
        (root / "tests.txt").write_text("".join(f"{name}: {state}\n" for name, state in tests.items()))
        for state in tests.values():
            if len(state.split()) == 3:
                (root / state.split()[1]).write_text("x = wrong\n")
        for name, text in files.items():
            (root / f"{name}.py").write_text(text)
        return Snapshot(root)

    return make


@pytest.fixture
def problem_of(sandbox: Sandbox) -> Callable[..., object]:
    """The first problem of a snapshot, or that of the check that is named."""

    async def find(snapshot: Snapshot, *only: str) -> Problem:
        return problems_in(snapshot, await sandbox.check_all(snapshot), only=only)[0]

    return find


class Play:
    """Turns of a scripted policy with tools."""

    def edit(self, path: str, replace: str, *, search: str = "wrong", **when: object) -> ScriptedTurn:
        call = ScriptedCall(name="edit_file", arguments={"path": path, "search": search, "replace": replace})
        return ScriptedTurn(calls=(call,), **when)  # type: ignore[arg-type]

    def submit(self, **when: object) -> ScriptedTurn:
        return ScriptedTurn(calls=(ScriptedCall(name="submit"),), **when)  # type: ignore[arg-type]

    def calls(self, tool: str, **arguments: object) -> ScriptedTurn:
        return ScriptedTurn(calls=(ScriptedCall(name=tool, arguments=arguments),))

    def fails(self, error: str = "infrastructure", **when: object) -> ScriptedTurn:
        return ScriptedTurn(error=error, **when)  # type: ignore[arg-type]

    def says(self, text: str, **when: object) -> ScriptedTurn:
        return ScriptedTurn(text=text, **when)  # type: ignore[arg-type]

    def mends(self, test: str, path: str, word: str = "right") -> tuple[ScriptedTurn, ...]:
        """What mends one failing test: an edit, a submission."""
        return self.edit(path, word, after=f"::{test}:"), self.submit(after=f"::{test}:")

    def policy(self, *turns: ScriptedTurn | tuple[ScriptedTurn, ...], tools: bool = True) -> ScriptedPolicy:
        flat = tuple(turn for group in turns for turn in (group if isinstance(group, tuple) else (group,)))
        return ScriptedPolicy(Script(header=ScriptedHeader(tools=tools), turns=flat))


@pytest.fixture
def play() -> Play:
    return Play()


@pytest.fixture
def harness(play: Play) -> Harness:
    """The `agent` preset."""
    return harness_for(play.policy().capability)


class Told:
    """The events of a run, in order."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def names(self) -> list[str]:
        """What was told, `progress` left out and the same thing again only once."""
        names = [event.tool if hasattr(event, "tool") else type(event).__name__ for event in self.events if not isinstance(event, Progress)]
        return [name for name, before in zip(names, ["", *names], strict=False) if name != before]

    def of(self, kind: type) -> list:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def told() -> Told:
    return Told()


class Kept:
    """A real journal, and a recorder of it for each run."""

    def __init__(self, path: Path) -> None:
        self.journal = Journal.open(path)

    def recorder(self, sandbox: Sandbox, snapshot: Snapshot) -> JournalRecorder:
        return JournalRecorder(self.journal, sandbox.environment, snapshot.root)

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """Problem and outcome of every recorded episode, in order."""
        return [(line.problem, line.outcome) for line in reversed(queries.recent(self.journal, limit=1000))]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    found = Kept(tmp_path / "data" / "journal.sqlite3")
    yield found
    found.journal.close()
