"""The verdict: what proves a patch and what refuses it, with a pretend test tool over the in-memory backend.

The tool is a program that reads `tests.txt` (lines `name: state`) and writes a JUnit report; `state` says how the test ends: `pass`,
`fail`, `flaky` (every second run fails), `needs FILE WORD` (passes when FILE holds WORD), `hang`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from suture_sandbox.backend import Command, Completed
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.errors import ConfigurationError, PatchError, SandboxFailed
from suture_sandbox.findings import Finding
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target, Verdict, breakage, prove, remaining

TESTS = Check(name="tests", kind="tests", command=("testtool", "{report}"), report="junit", timeout=30, selectable=True)
LINT = Check(name="lint", kind="lint", command=("linttool",), report="generic", timeout=30)
RUNTIME = Runtime(python="/usr/bin/python3", search_path=("/usr/bin",), readonly=())


class Tools:
    """The pretend tools, and how often each test ran."""

    def __init__(self) -> None:
        self.runs: list[tuple[str, ...]] = []
        self.count: dict[str, int] = {}
        self.break_down = False

    async def test(self, view: View, argv: tuple[str, ...]) -> int:
        selected = argv[1:]
        self.runs.append(selected)
        if self.break_down:
            raise SandboxFailed("the machine is on fire")
        cases = [line.split(": ", 1) for line in view.read("tests.txt").decode().splitlines()]
        chosen = [(name, state) for name, state in cases if not selected or f"tests.txt::{name}" in selected]
        failed = [name for name, state in chosen if not self.passes(view, name, state)]
        report = "".join(self.case(name, name in failed) for name, _ in chosen)
        view.write(argv[0], f"<testsuites><testsuite>{report}</testsuite></testsuites>".encode())
        return 1 if failed else 0

    def passes(self, view: View, name: str, state: str) -> bool:
        self.count[name] = self.count.get(name, 0) + 1
        if state.startswith("needs "):
            _, file, word = state.split()
            try:
                return word in view.read(file).decode()
            except FileNotFoundError:
                return False
        return state == "pass" or (state == "flaky" and self.count[name] % 2 == 1)

    def case(self, name: str, failed: bool) -> str:
        inner = '<failure message="assert 1 == 2">E   assert 1 == 2</failure>' if failed else ""
        return f'<testcase file="tests.txt" classname="tests" name={quoteattr(name)}>{inner}</testcase>'

    async def lint(self, view: View, argv: tuple[str, ...]) -> int:
        text = view.read("code.py").decode()
        bad = [number for number, line in enumerate(text.splitlines(), 1) if "bad" in line]
        for number in bad:
            view.print(f"code.py:{number}:1: error: bad word\n")
        return 1 if bad else 0


@pytest.fixture
def tools() -> Tools:
    return Tools()


@pytest.fixture
def sandbox(tools: Tools) -> Sandbox:
    backend = MemoryBackend({"testtool": tools.test, "linttool": tools.lint})
    fields = EnvironmentFields(checks={"tests": TESTS, "lint": LINT})
    return Sandbox(backend, Environment(fields=fields, runtime=RUNTIME))


@pytest.fixture
def workspace(tmp_path: Path) -> Callable[..., Snapshot]:
    def make(tests: Mapping[str, str], code: str = "x = 1\n") -> Snapshot:
        (tmp_path / "tests.txt").write_text("".join(f"{name}: {state}\n" for name, state in tests.items()))
        (tmp_path / "code.py").write_text(code)
        return Snapshot(tmp_path)

    return make


async def judge(sandbox: Sandbox, snapshot: Snapshot, edits: Mapping[str, bytes | None], *failing: str, check: str = "tests") -> Verdict:
    before = await sandbox.check_all(snapshot)
    result = next(each for each in before if each.check == check)
    wanted = {f"tests.txt::{name}" for name in failing}
    findings = tuple(finding for finding in result.findings if not failing or finding.test in wanted)
    return await prove(sandbox, snapshot, before, Target(check=check, findings=findings), patch_between(snapshot, edits))


async def test_patch_that_mends_the_failing_test_is_proven(sandbox: Sandbox, tools: Tools, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "needs code.py two", "b": "pass"})
    verdict = await judge(sandbox, snapshot, {"code.py": b"x = two\n"}, "a")
    assert verdict.passed
    assert verdict.reruns == 3
    assert verdict.fixed == ("tests::tests.txt::a",)
    assert [result.check for result in verdict.after] == ["tests", "lint"]
    # before: all. proof: the failing test alone, then the whole check three times
    assert tools.runs == [(), ("tests.txt::a",), (), (), ()]


async def test_patch_that_mends_nothing_costs_one_run_of_the_failing_test(
    sandbox: Sandbox, tools: Tools, workspace: Callable[..., Snapshot]
):
    snapshot = workspace({"a": "needs code.py two", "b": "pass"})
    verdict = await judge(sandbox, snapshot, {"code.py": b"x = 3\n"}, "a")
    assert not verdict.passed
    assert "still failing: tests.txt::a" in verdict.reason
    assert verdict.deciding is not None
    assert verdict.deciding.findings[0].test == "tests.txt::a"
    assert tools.runs[1:] == [("tests.txt::a",)]


async def test_patch_that_breaks_another_test_is_refused(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "needs code.py two", "b": "needs code.py one"}, code="x = one\n")
    verdict = await judge(sandbox, snapshot, {"code.py": b"x = two\n"}, "a")
    assert not verdict.passed
    assert verdict.broken == ("tests.txt::b",)


async def test_patch_that_breaks_another_check_is_refused(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "needs code.py two"})
    verdict = await judge(sandbox, snapshot, {"code.py": b"x = two  # bad\n"}, "a")
    assert not verdict.passed
    assert verdict.broken == ("code.py:1: bad word",)


async def test_failures_of_other_problems_may_stay(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "needs code.py two", "b": "fail"}, code="x = 1  # bad\n")
    verdict = await judge(sandbox, snapshot, {"code.py": b"x = two  # bad\n"}, "a")
    assert verdict.passed


async def test_finding_that_only_moved_is_no_breakage(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "needs code.py two"}, code="x = 1  # bad\n")
    verdict = await judge(sandbox, snapshot, {"code.py": b"y = 0\nx = two  # bad\n"}, "a")
    assert verdict.passed


async def test_second_finding_of_the_same_kind_is_a_breakage(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "needs code.py two"}, code="x = 1  # bad\n")
    verdict = await judge(sandbox, snapshot, {"code.py": b"y = 0  # bad\nx = two  # bad\n"}, "a")
    assert not verdict.passed


async def test_flaky_bystander_neither_makes_nor_breaks(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "needs code.py two", "b": "flaky"})
    verdict = await judge(sandbox, snapshot, {"code.py": b"x = two\n"}, "a")
    assert verdict.passed
    assert verdict.flaky == ("tests.txt::b",)


async def test_target_that_passes_only_sometimes_is_refused(sandbox: Sandbox, tools: Tools, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "flaky"})
    tools.count["a"] = 1
    verdict = await judge(sandbox, snapshot, {"code.py": b"x = 2\n"}, "a")
    assert not verdict.passed


async def test_lint_finding_is_a_target_like_a_test(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "pass"}, code="x = 1  # bad\n")
    verdict = await judge(sandbox, snapshot, {"code.py": b"x = 1\n"}, check="lint")
    assert verdict.passed
    assert verdict.fixed == ("code.py:1: bad word",)


async def test_guarded_patch_is_refused_before_anything_runs(sandbox: Sandbox, tools: Tools, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "needs code.py two"})
    before = len(tools.runs) + 1
    verdict = await judge(sandbox, snapshot, {"conftest.py": b"", "code.py": b"two\n"}, "a")
    assert not verdict.passed
    assert verdict.guard
    assert len(tools.runs) == before


async def test_empty_patch_is_refused(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    verdict = await judge(sandbox, workspace({"a": "fail"}), {}, "a")
    assert (verdict.passed, verdict.reason) == (False, "it changes nothing")


async def test_patch_that_does_not_apply_raises(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "fail"})
    before = await sandbox.check_all(snapshot)
    patch = patch_between(snapshot, {"code.py": b"new\n"})
    (snapshot.root / "code.py").write_text("moved on\n")
    with pytest.raises(PatchError, match=r"code\.py is not what the patch expects"):
        await prove(sandbox, snapshot, before, Target(check="tests", findings=before[0].findings), patch)


async def test_machine_that_fails_says_nothing_about_the_patch(sandbox: Sandbox, tools: Tools, workspace: Callable[..., Snapshot]):
    snapshot = workspace({"a": "needs code.py two"})
    before = await sandbox.check_all(snapshot)
    tools.break_down = True
    with pytest.raises(SandboxFailed):
        await prove(
            sandbox, snapshot, before, Target(check="tests", findings=before[0].findings), patch_between(snapshot, {"code.py": b"two\n"})
        )


async def test_check_that_cannot_select_refuses_to(sandbox: Sandbox, workspace: Callable[..., Snapshot]):
    with pytest.raises(ConfigurationError, match="cannot run single tests"):
        await sandbox.check(LINT, workspace({}), select=["x"])


async def test_unknown_check_names_those_there_are(sandbox: Sandbox):
    with pytest.raises(ConfigurationError) as error:
        sandbox.check_named("test")
    assert error.value.remedy == "checks of this workspace: tests, lint"


def result(**fields: object) -> CheckResult:
    return CheckResult(**{"check": "tests", "status": "failed", **fields})  # type: ignore[arg-type]


def test_test_that_did_not_run_counts_as_still_failing():
    here = Range(Position(0, 0), Position(0, 0))
    target = Target(check="tests", findings=(Finding(check="tests", path="t.py", range=here, message="m", test="t.py::a"),))
    assert remaining(target, result(status="passed")) == ("t.py::a",)


def test_check_that_breaks_down_is_a_breakage():
    assert breakage(result(), result(status="timeout", reason="it did not end within 9 s")) == (
        "tests (timeout: it did not end within 9 s)",
    )


@pytest.mark.parametrize(
    ("completed", "status"),
    [
        (Completed(ended="timeout", exit_code=None), "timeout"),
        (Completed(ended="memory", exit_code=None), "killed"),
        (Completed(ended="signalled", exit_code=-11, stdout=b"x"), "crashed"),
        (Completed(ended="exited", exit_code=1), "silent"),
        (Completed(ended="exited", exit_code=1, stdout=b"something went wrong"), "failed"),
        (Completed(ended="exited", exit_code=127, stderr=b"not found"), "infrastructure"),
        (Completed(ended="exited", exit_code=0), "passed"),
        (Completed(ended="exited", exit_code=0, stdout=b"code.py:1:1: error: bad\n"), "failed"),
    ],
)
async def test_how_a_check_ended(completed: Completed, status: str, tmp_path: Path):
    class Backend:
        name = "said"

        async def probe(self) -> object:
            raise AssertionError

        async def run(self, snapshot: Snapshot, environment: Environment, command: Command) -> Completed:
            return completed

        async def close(self) -> None:
            pass

    sandbox = Sandbox(Backend(), Environment(fields=EnvironmentFields(checks={"lint": LINT}), runtime=RUNTIME))  # type: ignore[arg-type]
    judged = await sandbox.check(LINT, Snapshot(tmp_path))
    assert judged.status == status
    assert judged.passed or judged.findings or status == "infrastructure"


async def test_junit_check_that_exits_well_without_a_report_crashed(tmp_path: Path):
    async def leave(view: View, argv: tuple[str, ...]) -> int:
        return 0

    backend = MemoryBackend({"testtool": leave})
    sandbox = Sandbox(backend, Environment(fields=EnvironmentFields(checks={"tests": TESTS}), runtime=RUNTIME))
    assert (await sandbox.check(TESTS, Snapshot(tmp_path))).status == "crashed"


def test_no_patch_is_a_value():
    assert Patch().paths == ()
    assert Patch().diff() == ""
