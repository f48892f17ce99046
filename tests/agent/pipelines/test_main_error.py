"""The main error: a root cause comes before the failures it causes, and the choice is the same every time."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from suture_agent.pipelines.imports import Reach
from suture_agent.pipelines.main_error import main_error
from suture_agent.problem import Problem
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.findings import Finding, Place
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range
from suture_sandbox.verdict import Target

CHECKS = tuple(
    Check(name=name, kind=name, command=("x",), report="generic")  # type: ignore[arg-type]
    for name in ("build", "lint", "types", "tests")
)


def at(line: int) -> Range:
    return Range(Position(line, 0), Position(line, 1))


def error(check: str, code: str, path: str, line: int = 0, *, test: str = "", message: str = "m", through: tuple[str, ...] = ()) -> Finding:
    related = (*(Place(each, at(0)) for each in through), Place(path, at(line))) if through else ()
    return Finding(check=check, path=path, range=at(line), code=code, message=message, test=test, related=related)


@pytest.fixture
def choose(tmp_path: Path):
    """The main error of a problem about the findings of `target`, beside others in the log."""

    def go(files: dict[str, str], target: list[Finding], *others: Finding, now: list[Finding] | None = None):
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        snapshot = Snapshot(tmp_path)

        def results(findings: list[Finding]) -> tuple[CheckResult, ...]:
            by = {check.name: tuple(each for each in findings if each.check == check.name) for check in CHECKS}
            return tuple(CheckResult(check=name, status="failed" if found else "passed", findings=found) for name, found in by.items())

        before = results([*others, *target])
        problem = Problem(id="p", snapshot=snapshot, target=Target(check=target[0].check, findings=tuple(target)), before=before)
        shown = before if now is None else results(now)
        return main_error(problem, CHECKS, {result.check: result for result in shown}, snapshot)

    return go


def test_syntax_error_that_another_check_reports_comes_before_the_test_that_needs_the_file(choose):
    files = {"lib.py": "def f(:\n", "user.py": "from lib import f\n", "test_user.py": "from user import f\n"}
    test = error("tests", "AssertionError", "test_user.py", 5, test="test_user.py::test_f")
    broken = error("build", "SyntaxError", "lib.py")
    main = choose(files, [test], broken)
    assert main.findings == (broken,)
    assert main.why == "syntax comes first of 2 errors; 1 of them need lib.py"


def test_broken_file_that_nothing_of_the_problem_needs_is_another_problem(choose):
    files = {"lib.py": "def f(:\n", "user.py": "x = 1\n", "test_user.py": "from user import x\n"}
    test = error("tests", "AssertionError", "test_user.py", 5, test="test_user.py::test_f")
    main = choose(files, [test], error("build", "SyntaxError", "lib.py"))
    assert main.findings == (test,)
    assert main.why == "nothing else stands against the problem"


def test_conftest_and_packages_are_needed_without_being_named(choose):
    files = {"tests/conftest.py": "x = (\n", "tests/unit/test_a.py": "", "pkg/__init__.py": "y = (\n", "pkg/mod.py": "", "test_b.py": ""}
    inner = error("tests", "AssertionError", "tests/unit/test_a.py", test="tests/unit/test_a.py::test_a")
    broken = error("build", "SyntaxError", "tests/conftest.py")
    assert choose(files, [inner], broken).findings == (broken,)
    module, package = error("types", "arg-type", "pkg/mod.py"), error("build", "SyntaxError", "pkg/__init__.py")
    assert choose(files, [module], package).findings == (package,)


def test_definition_with_wrong_types_comes_before_its_uses(choose):
    files = {"shop.py": "from prices import total\n\ntotal() + 1\n", "prices.py": "def total() -> str: ...\n"}
    use, definition = error("types", "operator", "shop.py", 2), error("types", "return-value", "prices.py", 0)
    main = choose(files, [use], definition)
    assert main.findings == (definition,)
    assert "1 of them need prices.py" in main.why


def test_definition_comes_before_its_uses_in_one_file_wherever_it_stands(choose):
    text = "def use():\n    return size('a') + 'b'\n\n\ndef size(x: str) -> int:\n    return x\n"
    use, definition = error("types", "operator", "m.py", 1), error("types", "return-value", "m.py", 5)
    assert choose({"m.py": text}, [use, definition]).findings == (definition,)
    assert choose({"m.py": text.replace("size('a')", "other('a')")}, [use, definition]).findings == (use,)


def test_stage_decides_before_anything_else(choose):
    files = {"test_x.py": "import a\n", "a.py": ""}
    findings = [
        error("tests", "AssertionError", "test_x.py", 1, test="test_x.py::t1"),
        error("tests", "TypeError", "a.py", 1, test="test_x.py::t2"),
        error("tests", "NameError", "a.py", 9, test="test_x.py::t3"),
    ]
    assert choose(files, findings).findings == (findings[2],)
    assert choose(files, findings[:2]).findings == (findings[1],)


def test_failing_tests_of_the_problem_that_stand_at_one_stage_are_shown_together(choose):
    findings = [error("tests", "AssertionError", "test_x.py", line, test=f"test_x.py::t{line}") for line in (3, 1, 2)]
    assert [each.test for each in choose({"test_x.py": ""}, findings).findings] == ["test_x.py::t1", "test_x.py::t2", "test_x.py::t3"]


def test_error_that_explains_more_others_comes_first(choose):
    tests = [
        error("tests", "TypeError", path, line, test=f"test_x.py::t{line}", through=("test_x.py",))
        for path, line in (("b.py", 1), ("c.py", 5), ("c.py", 6))
    ]
    files = {"test_x.py": "", "b.py": "", "c.py": "def f():\n    x\n    x\n    x\n    x\n    x\n    x\n"}
    assert choose(files, tests).findings[0].path == "c.py"


def test_after_progress_the_errors_that_were_not_there_before_stand_against_it(choose):
    files = {"a.py": "", "b.py": ""}
    main, old = error("tests", "ImportError", "a.py", message="gone"), error("lint", "E501", "b.py")
    fresh = error("lint", "F841", "a.py", 3)
    assert choose(files, [main], old, now=[old, fresh]).findings == (fresh,)
    assert choose(files, [main], old, now=[old]) is None


def test_warnings_are_no_errors_and_a_check_that_could_not_run_says_nothing(choose, tmp_path):
    main = error("lint", "F821", "a.py")
    soft = Finding(check="build", path="a.py", range=at(0), severity="warning", code="SyntaxError", message="m")
    assert choose({"a.py": ""}, [main], soft).findings == (main,)


def test_choice_does_not_depend_on_the_order_of_the_log(choose):
    files = {"a.py": "import b\n", "b.py": "import c\n", "c.py": "", "d.py": "import c\n"}
    findings = [error("types", "arg-type", path, line, message=f"m{line}") for path in ("a.py", "b.py", "c.py", "d.py") for line in (0, 1)]
    chosen = set()
    for seed in range(10):
        random.Random(seed).shuffle(findings)
        chosen.add(choose(files, list(findings)).findings)
    assert len(chosen) == 1
    assert {each.path for each in chosen.pop()} == {"c.py"}


def test_imports_in_a_circle_end(tmp_path):
    (tmp_path / "a.py").write_text("import b\n")
    (tmp_path / "b.py").write_text("import a\nimport broken\n")
    (tmp_path / "broken.py").write_text("def (:\n")
    reach = Reach(Snapshot(tmp_path))
    assert reach.of("a.py") == {"a.py", "b.py", "broken.py"}
    assert reach.of("broken.py") == frozenset()
    assert reach.of("nowhere.py") == frozenset()
