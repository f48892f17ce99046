"""The stage of impacted tests: it refuses without a whole run, and whatever it is told, it changes no verdict."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.findings import Finding
from suture_sandbox.impacted import worthwhile
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target, Verdict, prove

TESTS = Check(name="tests", kind="tests", command=("testtool", "{report}"), report="junit", timeout=30, selectable=True)
TYPES = Check(name="types", kind="types", command=("typetool",), report="generic", timeout=30)


class Tool:
    """Tests `one` to `six`; test N passes when code.py holds its name. Others pass by what stands beside them."""

    def __init__(self, **others) -> None:
        self.runs: list[tuple[str, ...]] = []
        self.count = 0
        self.others = others

    async def __call__(self, view: View, argv: tuple[str, ...]) -> int:
        selected = tuple(each.rpartition("::")[2] for each in argv[1:])
        self.runs.append(selected)
        words = view.read("code.py").decode().split()
        names = [name for name in ("one", "two", "three", "four", "five", "six", *self.others) if not selected or name in selected]
        self.count += 1
        failed = [name for name in names if not (self.others[name](self, selected) if name in self.others else name in words)]
        cases = (f'<testcase file="t.py" name="{name}">{"<failure/>" if name in failed else ""}</testcase>' for name in names)
        view.write(argv[0], f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>".encode())
        return 1 if failed else 0

    async def types(self, view: View, argv: tuple[str, ...]) -> int:
        if "untyped" not in view.read("code.py").decode().split():
            return 0
        view.print("code.py:1:1: error: untyped\n")
        return 1

    @property
    def whole(self) -> int:
        return self.runs.count(())


class Bench:
    """A workspace in which test `one` fails, and a sandbox that takes its time."""

    def __init__(self, root: Path, tool: Tool, *, text: str = "two three four five six\n", seconds: float = 9.0) -> None:
        (root / "code.py").write_text(text)
        self.tool, self.seconds = tool, seconds
        self.snapshot = Snapshot(root)
        fields = EnvironmentFields(checks={"types": TYPES, "tests": TESTS})
        runtime = Runtime(python="/p", search_path=(), readonly=())
        self.sandbox = Sandbox(MemoryBackend({"testtool": tool, "typetool": tool.types}), Environment(fields, runtime))
        self.stages: list[str] = []

    async def before(self) -> tuple[CheckResult, ...]:
        results = await self.sandbox.check_all(self.snapshot)
        self.tool.runs.clear()
        return tuple(msgspec.structs.replace(each, seconds=self.seconds) for each in results)

    async def prove(self, text: str, named: list[str], target: Target | None = None, **options) -> Verdict:
        before = await self.before()
        patch = patch_between(self.snapshot, {"code.py": text.encode()})

        def impacted(check: str, made: Patch) -> list[str]:
            assert made == patch
            return [f"t.py::{name}" for name in named] if check == "tests" else []

        return await prove(
            self.sandbox, self.snapshot, before, target or TARGET, patch, impacted=impacted, on_stage=self.stages.append, **options
        )


def finding(check: str, **more) -> Finding:
    place = Range(Position(0, 0), Position(0, 1))
    return Finding(check=check, path="code.py", range=place, code="x", message="x", **more)


TARGET = Target(check="tests", findings=(finding("tests", test="t.py::one"),))


async def test_a_patch_that_breaks_a_test_is_refused_without_a_whole_run(tmp_path):
    bench = Bench(tmp_path, Tool())
    verdict = await bench.prove("one two three four five\n", ["five", "six"])
    assert not verdict.passed
    assert verdict.reason == "it breaks t.py::six"
    assert verdict.broken == ("t.py::six",)
    assert verdict.deciding is not None
    assert [each.id for each in verdict.deciding.tests] == ["t.py::six"]
    assert bench.tool.runs == [("one",), ("five", "six"), ("six",), ("six",), ("six",)]  # warm, cold, without the patch, and once more
    assert bench.stages == ["tests: 1 failing", "tests: 2 impacted"]


async def test_a_good_patch_still_runs_whole_and_cold(tmp_path):
    bench = Bench(tmp_path, Tool())
    verdict = await bench.prove("one two three four five six\n", ["six"])
    assert verdict.passed
    assert bench.tool.runs == [("one",), ("six",), (), (), ()]


async def test_the_tests_of_another_check_are_asked_once_the_failing_one_holds(tmp_path):
    bench = Bench(tmp_path, Tool(), text="one two three four five six untyped\n")
    target = Target(check="types", findings=(await bench.before())[0].findings)
    verdict = await bench.prove("one two three four five\n", ["six"], target)
    assert verdict.broken == ("t.py::six",)
    assert bench.tool.whole == 0
    assert bench.stages == ["types: all", "tests: 1 impacted"]


@pytest.mark.parametrize(
    ("named", "seconds"),
    [
        (["six"], 1.9),  # the whole check is quick
        (["three", "four", "five", "six"], 9.0),  # more than half
        (["one", "seven", "--version"], 9.0),  # run already, not there
        ([], 9.0),
    ],
)
async def test_what_does_not_pay_is_left_to_the_whole_check(tmp_path, named, seconds):
    bench = Bench(tmp_path, Tool(), seconds=seconds)
    verdict = await bench.prove("one two three four five\n", named)
    assert not verdict.passed
    assert bench.tool.runs[:2] == [("one",), ()]


def test_tests_that_take_most_of_the_time_are_not_run_twice():
    tests = [{"id": f"t{number}", "outcome": "passed", "seconds": 4.0 if number == 0 else 0.1} for number in range(40)]
    result = msgspec.convert({"check": "tests", "status": "passed", "seconds": 7.9, "tests": tests}, CheckResult)
    assert worthwhile(result, ["t0"]) == ()
    assert worthwhile(result, ["t1", "t1", "t2"]) == ("t1", "t2")


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (lambda tool, selected: not selected, "it passes only after the others"),
        (lambda tool, selected: tool.count % 2 == 1, "it flips"),
        (lambda tool, selected: tool.runs.count(selected) > 1 or not selected, "it fails the first time"),
        (lambda tool, selected: tool.runs.count(selected) in (2, 3) or not selected, "it passes cold"),
    ],
)
async def test_a_test_that_fails_for_reasons_of_its_own_refuses_nothing(tmp_path, odd, why):
    bench = Bench(tmp_path, Tool(odd=odd))
    verdict = await bench.prove("one two three four five six\n", ["odd"])
    assert ("odd",) in bench.tool.runs
    assert verdict.passed, (why, verdict.reason)


WORDS = ("one", "two", "three", "four", "five", "six")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    named=st.lists(st.sampled_from([*WORDS, "odd", "seven", ""]), max_size=8),
    text=st.sets(st.sampled_from([*WORDS, "untyped"])),
)
async def test_no_map_changes_a_verdict(tmp_path, named, text):
    patched = " ".join(sorted(text)) + "\n"
    bare, told = (Bench(tmp_path, Tool(odd=lambda _tool, selected: not selected)) for _ in range(2))
    expected, found = await bare.prove(patched, []), await told.prove(patched, named)
    assert found.passed == expected.passed
    assert found.infrastructure == expected.infrastructure
    assert set(found.broken) <= set(expected.broken) | {f"t.py::{name}" for name in WORDS if name not in text}
    assert not found.passed or told.tool.whole == 3
