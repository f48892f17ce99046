"""Findings become problems: independent bugs apart, what one mistake causes together, and ids that stay as long as the text does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_agent.problem import enclosing, is_test_path, problems_in, still_fails
from suture_sandbox.checks import CheckResult
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.findings import Finding, Place
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range

CART = """\
def total(prices):
    return sum(prices) - 1


def tax(amount):
    return amount / 0


class Till:
    def close(self):
        return total([])
"""
TESTS = """\
import pytest

from cart import Till, tax, total


def test_two():
    assert total([1, 2]) == 3


def test_three():
    with pytest.raises(ValueError):
        total([1])


def test_tax():
    assert tax(1) == 2


def test_till():
    assert Till().close() == 0


def test_nothing_called():
    assert 1 == 2


def test_builtin():
    assert len("ab") == 3


def test_many_lines():
    assert (
        total([1])
        == 1
    )
"""
LINES = {name: number for number, line in enumerate(TESTS.splitlines()) for name in ["test" + line[8:-3]] if line.startswith("def test")}


def at(line: int) -> Range:
    return Range(Position(line, 0), Position(line, 1))


def failing(name: str, *frames: tuple[str, int, str], path: str = "test_cart.py", line: int | None = None) -> Finding:
    """A failed test, at the line of its assertion unless it is said; frames are path, line and function, outermost first."""
    places = tuple(Place(where, at(number), function) for where, number, function in frames)
    where = LINES[name] + 1 if line is None else line
    return Finding(check="tests", path=path, range=at(where), code="E", message="m", test=f"test_cart.py::{name}", related=places)


def result(*findings: Finding, check: str = "tests", status: str = "failed") -> CheckResult:
    return CheckResult(check=check, status=status, findings=findings)  # type: ignore[arg-type]  # tests name outcomes as text


@pytest.fixture
def shop(tmp_path) -> Snapshot:
    (tmp_path / "cart.py").write_text(CART)
    (tmp_path / "test_cart.py").write_text(TESTS)
    return Snapshot(tmp_path)


def groups(snapshot: Snapshot, *findings: Finding) -> list[list[str]]:
    return [
        [finding.test.rpartition("::")[2] or finding.message for finding in each.findings]
        for each in problems_in(snapshot, [result(*findings)])
    ]


def test_tests_of_different_functions_are_different_problems(shop):
    assert groups(shop, failing("test_two"), failing("test_tax")) == [["test_two"], ["test_tax"]]


def test_tests_that_assert_on_the_same_function_are_one_problem(shop):
    three, many = failing("test_three"), failing("test_many_lines", line=LINES["test_many_lines"] + 2)
    assert groups(shop, failing("test_two"), failing("test_tax"), three, many) == [
        ["test_two", "test_three", "test_many_lines"],
        ["test_tax"],
    ]


def test_a_crash_and_a_wrong_answer_of_the_same_function_are_one_problem(shop):
    crash = failing(
        "test_till", ("test_cart.py", 18, "test_till"), ("cart.py", 10, "close"), ("cart.py", 1, "total"), path="cart.py", line=1
    )
    assert groups(shop, failing("test_two"), crash, failing("test_tax")) == [["test_two", "test_till"], ["test_tax"]]


def test_the_innermost_frame_outside_tests_is_the_cause(shop):
    first = failing("test_till", ("cart.py", 10, "close"), ("cart.py", 5, "tax"), ("tests/helper.py", 3, "check"))
    second = failing("test_tax", ("cart.py", 5, "tax"))
    assert groups(shop, first, second) == [["test_till", "test_tax"]]


def test_a_method_is_not_taken_for_the_function_that_it_calls(shop):
    assert groups(shop, failing("test_two"), failing("test_till")) == [["test_two"], ["test_till"]]


def test_tests_that_call_nothing_of_the_workspace_stay_apart(shop):
    assert groups(shop, failing("test_nothing_called"), failing("test_builtin")) == [["test_nothing_called"], ["test_builtin"]]


def test_calls_of_what_is_not_imported_are_told_apart_by_their_name(tmp_path):
    lines = ["client.get(1)", "client.post(1)", "client.get(2)", "helper(1)"]
    (tmp_path / "test_cart.py").write_text("".join(f"assert {line}\n" for line in lines))
    findings = [failing(f"test_{number}", line=number) for number in range(len(lines))]
    assert groups(Snapshot(tmp_path), *findings) == [["test_0", "test_2"], ["test_1"], ["test_3"]]


@pytest.mark.parametrize("line", [0, 7, 999])
def test_place_that_tells_nothing_leaves_each_test_on_its_own(shop, line):
    findings = failing("test_two", line=line), failing("test_tax", line=line)
    assert groups(shop, *findings) == [["test_two"], ["test_tax"]]


def finding(message: str, line: int, path: str = "cart.py", severity: str = "error", check: str = "types") -> Finding:
    return Finding(check=check, path=path, range=at(line), message=message, severity=severity)  # type: ignore[arg-type]


def test_findings_of_one_function_are_one_problem_and_those_of_others_are_not(shop):
    found = groups(shop, finding("a", 0), finding("b", 5), finding("c", 1), finding("d", 10), finding("e", 2), finding("f", 0, "other.py"))
    assert found == [["a", "c"], ["b"], ["d"], ["e"], ["f"]]


def test_warnings_are_no_problem(shop):
    assert groups(shop, finding("a", 0, severity="warning"), finding("b", 1, severity="information")) == []


@pytest.mark.parametrize("status", ["passed", "infrastructure"])
def test_check_that_passed_or_could_not_run_has_no_problem(shop, status):
    assert problems_in(shop, [result(finding("a", 0), status=status)]) == ()


@pytest.mark.parametrize("status", ["failed", "timeout", "crashed", "killed", "silent"])
def test_check_that_failed_in_any_way_has_one(shop, status):
    assert len(problems_in(shop, [result(finding("a", 0), status=status)])) == 1


def test_only_the_checks_that_are_asked_for(shop):
    both = [result(finding("a", 0), check="types"), result(finding("b", 0, check="lint"), check="lint")]
    assert [each.check for each in problems_in(shop, both)] == ["types", "lint"]
    assert [each.check for each in problems_in(shop, both, only=("lint",))] == ["lint"]
    assert problems_in(shop, both, only=("lint",))[0].before == tuple(both)


def ids(snapshot: Snapshot, findings: Sequence[Finding], *, check: str = "tests") -> list[str]:
    return [problem.id for problem in problems_in(snapshot, [result(*findings, check=check)])]


def test_id_is_12_digits_and_stays_while_the_failure_and_its_text_do(shop, tmp_path):
    (before,) = ids(shop, [failing("test_two")])
    assert len(before) == 12
    assert int(before, 16) >= 0
    (tmp_path / "elsewhere.py").write_text("x = 1\n")
    moved = Finding(
        check="tests", path="test_cart.py", range=at(6), message="another message", test="test_cart.py::test_two", detail="more"
    )
    assert ids(Snapshot(tmp_path), [moved]) == [before]


def test_id_changes_with_the_text_the_test_and_the_check(shop, tmp_path):
    (before,) = ids(shop, [failing("test_two")])
    edited = shop.with_edits({"test_cart.py": (TESTS + "\n").encode()})
    found = {
        before,
        *ids(edited, [failing("test_two")]),
        *ids(shop, [failing("test_tax")]),
        *ids(shop, [failing("test_two")], check="more"),
    }
    assert len(found) == 4


def test_id_does_not_depend_on_where_the_workspace_lies_or_on_the_order_of_findings(shop, tmp_path):
    other = tmp_path / "copy"
    other.mkdir()
    for name in ("cart.py", "test_cart.py"):
        (other / name).write_bytes((tmp_path / name).read_bytes())
    findings = [failing("test_two"), failing("test_three")]
    assert ids(shop, findings) == ids(Snapshot(other), findings) == ids(shop, findings[::-1])


def test_id_is_the_same_in_every_process(shop, tmp_path):
    program = (
        "import sys, msgspec\nfrom pathlib import Path\nfrom suture_agent.problem import problems_in\n"
        "from suture_sandbox.checks import CheckResult\nfrom suture_sandbox.snapshot import Snapshot\n"
        "result = msgspec.json.decode(sys.argv[2], type=CheckResult)\n"
        "print(*(problem.id for problem in problems_in(Snapshot(Path(sys.argv[1])), [result])))"
    )
    import msgspec

    given_result = result(failing("test_two"), failing("test_tax"), finding("a", 0, check="tests"))
    argv = [sys.executable, "-B", "-c", program, str(tmp_path), msgspec.json.encode(given_result).decode()]
    done = subprocess.run(argv, env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [problem.id for problem in problems_in(shop, [given_result])]


HOSTILE = [
    "f" + ".a" * 900 + "()",
    "f" + "()" * 900,
    "f" + "[0]" * 900 + "()",
    "-" * 5000 + "f()",
    "f(" + "+".join("1" * 5000) + ")",
    "re.match('\\d', f())",
    "0o9 \0",
    "(" * 300,
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
def test_line_that_no_parser_likes_is_still_a_problem(tmp_path, recwarn, line):
    (tmp_path / "test_cart.py").write_text(f"def test_two():\n    assert {line}\n")
    assert len(problems_in(Snapshot(tmp_path), [result(failing("test_two", line=1), finding("a", 1, "test_cart.py"))])) == 2
    assert not recwarn.list


def test_form_feed_is_no_line_break(tmp_path):
    text = "from cart import tax, total\n\x0c\n\n\ndef test_two():\n    assert total([]) == 1\n    assert tax(1)\n"
    (tmp_path / "cart.py").write_text(CART)
    (tmp_path / "test_cart.py").write_text(text)
    wrong, right = failing("test_two", line=5), failing("test_tax", ("cart.py", 1, "total"))
    assert groups(Snapshot(tmp_path), wrong, right) == [["test_two", "test_tax"]]


PLACES = [(0, "total"), (1, "total"), (2, ""), (4, "tax"), (8, "Till"), (9, "Till.close"), (10, "Till.close"), (99, "")]


@pytest.mark.parametrize(("line", "name"), PLACES)
def test_enclosing_names_the_innermost_definition(line, name):
    assert enclosing(CART, line) == name


def test_decorator_belongs_to_what_it_decorates():
    assert enclosing("@wraps\n@other(\n    1,\n)\nasync def f():\n    pass\n", 1) == "f"


@given(st.text(max_size=60), st.integers(0, 9))
def test_any_text_has_an_answer(text, line):
    assert isinstance(enclosing(text, line), str)


TEST_PATHS = {
    "test_a.py": True, "a_test.py": True, "conftest.py": True, "tests/a.py": True, "src/test/data/a.py": True,
    "a.py": False, "testing.py": False, "contest.py": False, "src/latest/a.py": False, "tests.py": False, "attest_a.py": False,
}  # fmt: skip


@pytest.mark.parametrize("path", TEST_PATHS)
def test_test_code_is_known_by_its_path(path):
    assert is_test_path(path) == TEST_PATHS[path]


async def test_failure_that_shows_again_costs_one_run_of_its_test(snapshot_of, problem_of, sandbox, tools):
    problem = await problem_of(snapshot_of({"a": "needs one.py right", "b": "pass"}))
    tools.runs.clear()
    assert await still_fails(problem, sandbox)
    assert tools.runs == [("a",)]


async def test_failure_that_passes_alone_is_decided_by_its_whole_check(snapshot_of, problem_of, sandbox, tools):
    problem = await problem_of(snapshot_of({"a": "flaky"}))
    tools.runs.clear()
    assert await still_fails(problem, sandbox)
    assert tools.runs == [("a",), ()]


async def test_failure_that_is_gone_does_not_still_fail(snapshot_of, problem_of, sandbox):
    problem = await problem_of(snapshot_of({"a": "once"}))
    assert not await still_fails(problem, sandbox)


async def test_finding_of_a_check_without_tests_is_looked_for_in_all_of_it(snapshot_of, problem_of, sandbox):
    problem = await problem_of(snapshot_of({"a": "pass"}, lib="x = bad\n"), "lint")
    assert await still_fails(problem, sandbox)
    (problem.snapshot.root / "lib.py").write_text("x = fine\n")
    assert not await still_fails(problem, sandbox)


async def test_machine_that_fails_says_nothing_about_the_failure(snapshot_of, problem_of, sandbox, tools):
    problem = await problem_of(snapshot_of({"a": "needs one.py right"}))
    sandbox.backend._programs.pop("testtool")
    assert await still_fails(problem, sandbox)
    sandbox.backend._programs["testtool"] = tools.test
    tools.breaks = lambda _view: True
    with pytest.raises(SandboxFailed):
        await still_fails(problem, sandbox)


def test_a_method_of_any_object_is_the_one_of_the_imported_class_that_has_it(tmp_path):
    (tmp_path / "till.py").write_text("class Till:\n    def add(self):\n        return 1\n\n    def close(self):\n        return 1\n")
    lines = ["from till import Till", "", "", "def test_a(till):", "    assert till.add() == 2", "", "", "def test_b():", "    a = Till()"]
    lines += ["    assert a.add() == 2", "    assert a.close() == 2"]
    (tmp_path / "test_cart.py").write_text("\n".join(lines) + "\n")
    snapshot = Snapshot(tmp_path)
    apart = groups(snapshot, failing("test_a", line=4), failing("test_b", line=9), failing("test_c", line=10))
    assert apart == [["test_a", "test_b"], ["test_c"]]


def test_an_assertion_without_a_call_belongs_to_what_its_test_calls_through_helpers(tmp_path):
    (tmp_path / "client.py").write_text("class Client:\n    def ask(self): ...\n")
    (tmp_path / "test_client.py").write_text(
        "import asyncio\nfrom client import Client\n\n"
        "class Service:\n    peak = 0\n\n"
        "def run(service):\n    async def scenario():\n        return Client(service).ask()\n    return asyncio.run(scenario())\n\n"
        "def test_peak(limit):\n    service = Service()\n    run(service)\n    assert service.peak == limit\n\n"
        "def test_tasks():\n    async def scenario():\n        return Client(Service()).ask()\n    assert asyncio.run(scenario()) == 3\n\n"
        "def test_nothing(limit):\n    assert limit\n"
    )
    lines = {"test_peak[1]": 14, "test_peak[2]": 14, "test_tasks": 19, "test_nothing[1]": 22, "test_nothing[2]": 22}
    findings = [failing(name, path="test_client.py", line=line) for name, line in lines.items()]
    together = [["test_peak[1]", "test_peak[2]", "test_tasks"], ["test_nothing[1]", "test_nothing[2]"]]
    assert groups(Snapshot(tmp_path), *findings) == together


def test_helpers_that_call_each_other_end(tmp_path):
    (tmp_path / "test_a.py").write_text("def a():\n    return b()\ndef b():\n    return a()\ndef test_it():\n    assert a()\n")
    finding = failing("test_it", path="test_a.py", line=5)
    assert groups(Snapshot(tmp_path), finding) == [["test_it"]]
