"""What an offer says was proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from suture_agent.problem import Problem
from suture_sandbox.checks import Check, CheckResult, TestOutcome
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target, Verdict
from suture_server.worker.titles import LONGEST_NAME, proven, title

NOWHERE = Range(Position(0, 0), Position(0, 0))
TESTS = Check(name="tests", kind="tests", command=("pytest",), report="pytest", tool="pytest")
TYPES = Check(name="types", kind="types", command=("mypy",), report="mypy", tool="mypy")
BUILD = Check(name="build", kind="build", command=("python",), report="build")


def problem(*findings: Finding, reproducible: bool = True) -> Problem:
    target = Target(check=findings[0].check, findings=findings)
    return Problem(id="0" * 12, snapshot=Snapshot(Path("/x")), target=target, before=(), reproducible=reproducible)


def failed(test: str) -> Finding:
    return Finding(check="tests", path="test_a.py", range=NOWHERE, message="no", test=test)


def wrong(code: str, path: str = "pkg/a.py") -> Finding:
    return Finding(check="types", path=path, range=NOWHERE, message="no", code=code)


def ran(check: str, status: str = "passed", passing: int = 0, failing: int = 0) -> CheckResult:
    tests = [TestOutcome(id=f"t::{number}", outcome="passed" if number < passing else "failed") for number in range(passing + failing)]
    return CheckResult(check=check, status=status, tests=tuple(tests))


def said(of: Problem, *after: CheckResult) -> str:
    return title(of, proven(of, Verdict(passed=True, after=after), (BUILD, TYPES, TESTS)))


@pytest.mark.parametrize(
    ("of", "after", "expected"),
    [
        ([failed("a.py::test_x")], [ran("tests", passing=1)], "Fix with agent: passes test_x"),
        ([failed("a.py::test_x")], [ran("tests", passing=2)], "Fix with agent: passes test_x and 1 other"),
        ([failed("a.py::T::test_x[a::b]")], [ran("tests", passing=9)], "Fix with agent: passes test_x and 8 others"),
        ([failed("a.py::test_x")], [ran("tests", passing=0)], "Fix with agent: passes test_x"),
        ([failed("test_a.T.test_x")], [ran("build"), ran("tests", passing=1)], "Fix with agent: passes test_a.T.test_x, build clean"),
        ([failed("a.py::test_x")], [ran("types", "failed"), ran("tests", passing=1)], "Fix with agent: passes test_x, mypy no worse"),
        ([wrong("arg-type")], [ran("types"), ran("tests", passing=3)], "Fix with agent for a.py: types clean, 3 tests pass"),
        ([wrong("a"), wrong("b"), wrong("a"), wrong("c")], [ran("types", "failed")], "Fix with agent for a.py: a, b gone"),
        ([wrong("", "")], [ran("types", "failed"), ran("tests", "failed")], "Fix with agent: types gone, tests no worse"),
    ],
)
def test_a_title_says_what_was_proven(of: list[Finding], after: list[CheckResult], expected: str):
    assert said(problem(*of), *after) == expected


def test_what_was_not_checked_is_not_claimed():
    of = problem(wrong("foreign"), reproducible=False)
    assert said(of, ran("types"), ran("tests", passing=2)) == (
        "Fix with agent for a.py: breaks no check; what it is about was not checked again, mypy clean, 2 tests pass"
    )


def test_long_names_are_cut():
    found = said(problem(failed("a.py::test_" + "x" * 200)), ran("tests", passing=1))
    assert found == f"Fix with agent: passes test_{'x' * (LONGEST_NAME - 6)}…"
