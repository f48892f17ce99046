"""What errors after a proposal are to the main error: a different error is told from a similar one by signatures and places."""

from __future__ import annotations

from pathlib import Path

import pytest

from suture_agent.pipelines.main_error import Error, MainError, errors_against
from suture_agent.pipelines.relation import Change, further, line_of, relation
from suture_agent.pipelines.signature import signature_of
from suture_agent.problem import Problem
from suture_sandbox.checks import CheckResult, TestOutcome
from suture_sandbox.findings import Finding, Place
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target

KINDS = {"tests": "tests", "types": "types", "lint": "lint", "build": "build"}
HEAD = "import a\nimport b\nimport c\n"


def at(line: int) -> Range:
    return Range(Position(line, 0), Position(line, 1))


def error(code: str, *frames: tuple[str, int], message: str = "", check: str = "tests", test: str = "") -> Finding:
    related = tuple(Place(path, at(line)) for path, line in frames) if check == "tests" else ()
    path, line = frames[-1]
    return Finding(check=check, path=path, range=at(line), code=code, message=message or f"{code}: it", test=test, related=related)


def result(check: str, *findings: Finding, passed: tuple[str, ...] = (), status: str = "") -> CheckResult:
    failed = {finding.test: TestOutcome(id=finding.test, outcome="failed") for finding in findings if finding.test}
    tests = (*failed.values(), *(TestOutcome(id=name, outcome="passed") for name in passed))
    ended = status or ("failed" if findings else "passed")
    return CheckResult(check=check, status=ended, findings=findings, tests=tests)  # type: ignore[arg-type]


class Bench:
    """A ground with some results, and what a proposal over it comes to."""

    def __init__(self, root: Path) -> None:
        self.before = Snapshot(root)

    def of(
        self, main: Finding, old: list[CheckResult], new: list[CheckResult], edits: dict[str, str] | None = None, settled=(), flaky=None
    ):
        after = self.before.with_edits({path: text.encode() for path, text in (edits or {}).items()})
        problem = Problem(id="p", snapshot=self.before, target=Target(check=main.check, findings=(main,)), before=tuple(old))
        results = {each.check: each for each in new}
        own = Error(main, signature_of(main, KINDS[main.check], self.before))
        change = Change(
            before=self.before, after=after, old={each.check: each for each in old}, new=results, kinds=KINDS, flaky=flaky or {}
        )
        against = errors_against(problem, results, KINDS, after)
        known = [signature_of(each, KINDS[each.check], after) for each in settled]
        return relation(MainError(check=main.check, errors=(own,), why=""), change, against, known)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    for name in ("test_x.py", "a.py", "b.py", "lib.py"):
        (tmp_path / name).write_text("".join(f"{name} line {number}\n" for number in range(30)))
    (tmp_path / "head.py").write_text(HEAD)
    return Bench(tmp_path)


A = "test_x.py::test_a"
B = "test_x.py::test_b"


def test_nothing_left_is_gone(bench):
    main = error("TypeError", ("test_x.py", 3), ("a.py", 5), test=A)
    assert bench.of(main, [result("tests", main)], [result("tests", passed=(A,))]) == ("gone", "")


@pytest.mark.parametrize(
    ("frames", "seen"),
    [
        ([("test_x.py", 3), ("a.py", 5)], "similar"),  # the same place
        ([("test_x.py", 3), ("a.py", 4)], "similar"),  # earlier in the same function
        ([("test_x.py", 3), ("a.py", 6)], "different"),  # later
        ([("test_x.py", 3)], "different"),  # the call returned, and its result is wrong
        ([("test_x.py", 4)], "different"),  # the test came past it
        ([("test_x.py", 2)], "similar"),
        ([("test_x.py", 3), ("a.py", 5), ("lib.py", 1)], "similar"),  # it goes wrong further in
        ([("test_x.py", 3), ("b.py", 9)], "similar"),  # cannot be compared: no progress that could be shown
    ],
)
def test_test_that_still_fails_is_different_only_where_it_came_further(bench, frames, seen):
    main = error("TypeError", ("test_x.py", 3), ("a.py", 5), test=A)
    now = error("ValueError", *frames, test=A)
    assert bench.of(main, [result("tests", main)], [result("tests", now)])[0] == seen


def test_lines_are_carried_over_to_the_new_text(bench):
    text = bench.before.read_text("a.py")
    main = error("TypeError", ("test_x.py", 3), ("a.py", 5), test=A)
    for shift, seen in ((2, "similar"), (3, "different")):
        now = error("TypeError", ("test_x.py", 3), ("a.py", 5 + shift), test=A)
        edits = {"a.py": "# one\n# two\n" + text}
        assert bench.of(main, [result("tests", main)], [result("tests", now)], edits)[0] == seen
    rewritten = text.replace("a.py line 5\n", "new\nnew\nnew\n")
    for line, seen in ((7, "similar"), (8, "different")):
        now = error("TypeError", ("test_x.py", 3), ("a.py", line), test=A)
        assert bench.of(main, [result("tests", main)], [result("tests", now)], {"a.py": rewritten})[0] == seen


def test_parser_that_stops_later_has_come_past_though_it_says_the_same(bench):
    main = error("SyntaxError", ("a.py", 5), message="SyntaxError: invalid syntax")
    later = error("SyntaxError", ("a.py", 20), message="SyntaxError: invalid syntax")
    assert bench.of(main, [result("tests", main)], [result("tests", later)]) == ("different", "now: a.py:21: SyntaxError: invalid syntax")
    assert bench.of(main, [result("tests", main)], [result("tests", main)])[0] == "similar"


def test_next_import_that_is_missing_is_another_error(bench):
    main = error("ModuleNotFoundError", ("test_x.py", 0), ("head.py", 0), message="ModuleNotFoundError: No module named 'a'")
    after = error("ModuleNotFoundError", ("test_x.py", 0), ("head.py", 1), message="ModuleNotFoundError: No module named 'b'")
    assert bench.of(main, [result("tests", main)], [result("tests", after)])[0] == "different"
    assert bench.of(after, [result("tests", after)], [result("tests", main)], settled=[main])[0] == "similar"


def test_collected_tests_that_fail_are_another_error(bench):
    main = error("ImportError", ("test_x.py", 0), ("a.py", 0))
    shown = [error("AssertionError", ("test_x.py", 9), test=A), error("KeyError", ("test_x.py", 12), ("a.py", 3), test=B)]
    assert bench.of(main, [result("tests", main)], [result("tests", *shown)])[0] == "different"


def test_passed_test_that_fails_or_is_not_run_any_more_is_broken_unless_it_is_known_to_be_flaky(bench):
    main = error("TypeError", ("test_x.py", 3), test=A)
    lost = error("KeyError", ("test_x.py", 12), test=B)
    for now in (result("tests", lost, passed=(A,)), result("tests", passed=(A,))):
        assert bench.of(main, [result("tests", main, passed=(B,))], [now]) == ("broken", f"{B} passed before")
    known = {"tests": (B,)}
    assert bench.of(main, [result("tests", main, passed=(B,))], [result("tests", passed=(A,))], flaky=known)[0] == "gone"


@pytest.mark.parametrize("status", ["timeout", "crashed", "killed", "silent"])
def test_check_that_does_not_end_any_more_is_broken(bench, status):
    main = error("TypeError", ("test_x.py", 3), test=A)
    assert bench.of(main, [result("tests", main)], [result("tests", status=status)])[0] == "broken"


def test_module_that_does_not_even_parse_now_is_broken(bench):
    main = error("AssertionError", ("test_x.py", 3), test=A)
    worse = error("SyntaxError", ("test_x.py", 0), ("a.py", 2))
    seen, why = bench.of(main, [result("tests", main)], [result("tests", worse)])
    assert (seen, why) == ("broken", "a worse error: a.py:3: SyntaxError: it")


def types(message: str, path: str = "a.py", line: int = 5, code: str = "arg-type") -> Finding:
    return error(code, (path, line), message=message, check="types")


def test_listed_errors_are_compared_by_code_words_and_function(bench):
    main, other = types("Argument has type 'int'"), types("unrelated", "b.py", code="attr-defined")
    old = [result("types", main, other)]
    assert bench.of(main, old, [result("types", other)])[0] == "gone"
    assert bench.of(main, old, [result("types", main, other)])[0] == "similar"
    assert bench.of(main, old, [result("types", types("Argument has type 'str'"), other)])[0] == "similar"
    assert bench.of(main, old, [result("types", types("Argument has type 'int'", "b.py"), other)])[0] == "similar"
    assert bench.of(main, old, [result("types", types("Missing return", code="return"), other)])[0] == "different"


def test_error_like_another_that_was_there_all_the_time_is_not_taken_for_it(bench):
    main, twin = types("Name 'x' is unused", "a.py"), types("Name 'x' is unused", "b.py")
    assert bench.of(main, [result("types", main, twin)], [result("types", twin)])[0] == "gone"


def test_fresh_error_of_a_linter_is_different_and_no_breakage(bench):
    main = error("AssertionError", ("test_x.py", 3), test=A)
    old, name = [result("tests", main), result("lint")], error("F821", ("a.py", 5), check="lint")
    assert bench.of(main, old, [result("tests", passed=(A,)), result("lint", name)])[0] == "different"
    assert bench.of(main, old, [result("tests", passed=(A,)), result("lint", name)], settled=[name])[0] == "similar"


def test_further_cannot_be_told_of_other_paths(bench):
    change = Change(before=bench.before, after=bench.before, old={}, new={}, kinds=KINDS)
    assert not further(error("E", ("a.py", 1)), error("E", ("b.py", 9)), change)
    assert further(error("E", ("a.py", 1), ("b.py", 2)), error("E", ("a.py", 2)), change)


def test_line_of_a_finding():
    assert line_of(error("E", ("a.py", 1), message="one\ntwo")) == "a.py:2: one"
    assert line_of(error("E", ("a.py", 1), message="one", test=A)) == f"{A}: one"
    assert line_of(Finding(check="build", path="", range=at(0), message="", code="X")) == "build: X"
