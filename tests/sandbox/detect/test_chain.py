"""The chain without the sandbox: detect, run what was detected as a plain process with the real tools, read its report."""

from __future__ import annotations

import pytest

CALC = "def add(a: int, b: int) -> int:\n    return a - b\n"
TESTS = """\
import pytest

import calc


@pytest.mark.parametrize("a", [0, "x y", "a::b", "[", "é", "a - b", "\\\\n", "/"])
def test_add(a):
    assert calc.add(2, 1) == 3


class TestMore:
    def test_zero(self):
        assert calc.add(1, 0) == 1

    class TestInner:
        def test_one(self):
            assert calc.add(1, 1) == 2
"""
UNITTESTS = """\
import unittest

import calc


class T(unittest.TestCase):
    def test_add(self):
        self.assertEqual(calc.add(2, 1), 3)

    def test_zero(self):
        self.assertEqual(calc.add(1, 0), 1)
"""


@pytest.fixture
def run(workspace, run_check):
    """Run the check of this name that is detected in a workspace with these files."""
    return lambda files, name, **options: run_check(workspace(files), name, **options)


def test_each_failing_test_can_be_run_alone_by_its_id(run):
    files = {"calc.py": CALC, "test_calc.py": TESTS}
    whole = run(files, "tests")
    assert whole.code == 1
    assert whole.report.complete
    assert len(whole.outcomes) == 10
    failing = tuple(name for name, outcome in whole.outcomes.items() if outcome == "failed")
    assert len(failing) == 9
    alone = run(files, "tests", select=failing)
    assert alone.outcomes == dict.fromkeys(failing, "failed")
    one = run(files, "tests", select=("test_calc.py::TestMore::TestInner::test_one",))
    assert list(one.outcomes) == ["test_calc.py::TestMore::TestInner::test_one"]
    assert one.spots == [("test_calc.py", 17, "AssertionError")]


def test_a_broken_module_does_not_hide_the_other_tests(run):
    ran = run({"calc.py": CALC, "test_calc.py": "import calc\ndef test_ok(): pass\n", "test_other.py": "import nowhere\n"}, "tests")
    assert ran.outcomes == {"test_calc.py::test_ok": "passed"}
    assert ran.spots == [("test_other.py", 1, "ModuleNotFoundError")]


def test_a_test_that_ends_the_process_is_named(run):
    ran = run({"test_a.py": "import os\ndef test_ok(): pass\ndef test_exit(): os._exit(0)\ndef test_after(): pass\n"}, "tests")
    assert ran.code == 0
    assert not ran.report.complete
    assert ran.outcomes == {"test_a.py::test_ok": "passed", "test_a.py::test_exit": "error"}
    assert ran.spots[0][:2] == ("test_a.py", 3)


def test_a_test_that_hangs_is_named_and_ended(run):
    files = {
        "spin.py": "def spin():\n    while True:\n        pass\n",
        "test_a.py": "import spin\ndef test_ok(): pass\ndef test_hang(): spin.spin()\n",
    }
    ran = run(files, "tests", select=("-o", "faulthandler_timeout=1"))
    assert ran.outcomes == {"test_a.py::test_ok": "passed", "test_a.py::test_hang": "error"}, ran.text
    (finding,) = ran.report.findings
    assert (finding.path, finding.code, finding.test) == ("spin.py", "Timeout", "test_a.py::test_hang")


def test_the_owners_options_do_not_spoil_the_report(run):
    added = "-x --sw --lf --cov=calc --cov-fail-under=90 -n auto --pdb -ra"
    files = {"calc.py": CALC, "test_calc.py": TESTS, "pytest.ini": f"[pytest]\naddopts = {added}\ncache_dir = .c\n"}
    ran = run(files, "tests")
    assert len(ran.outcomes) == 10


def test_native_toml_options(run):
    files = {"calc.py": CALC, "test_calc.py": TESTS, "pyproject.toml": '[tool.pytest]\naddopts = ["-x", "-m", "not slow"]\n'}
    assert len(run(files, "tests").outcomes) == 10


def test_a_src_layout_that_is_not_installed(run):
    files = {"src/pkg/__init__.py": "", "src/pkg/calc.py": CALC, "tests/test_calc.py": TESTS.replace("import calc", "from pkg import calc")}
    ran = run(files, "tests")
    assert len(ran.outcomes) == 10
    assert {path for path, _, _ in ran.spots} == {"tests/test_calc.py"}


def test_a_repository_of_several_projects(run):
    test = "from {0} import calc\ndef test_a(): assert calc.add(1, 1) == 2\n"
    files = {
        "one/pyproject.toml": "", "one/src/one/__init__.py": "", "one/src/one/calc.py": CALC, "one/tests/test_a.py": test.format("one"),
        "two/setup.py": "", "two/two/__init__.py": "", "two/two/calc.py": CALC, "two/tests/test_a.py": test.format("two"),
    }  # fmt: skip
    for name in ("one", "two"):
        ran = run(files, f"tests-{name}")
        assert ran.outcomes == {f"{name}/tests/test_a.py::test_a": "failed"}, ran.text
    alone = run(files, "tests-two", select=("two/tests/test_a.py::test_a",))
    assert alone.outcomes == {"two/tests/test_a.py::test_a": "failed"}, alone.text


@pytest.mark.parametrize("package", [True, False])
def test_unittest(run, package):
    files = {"calc.py": CALC, "tests/test_calc.py": UNITTESTS, **({"tests/__init__.py": ""} if package else {})}
    ran = run(files, "tests", installed={})
    name = "tests.test_calc.T" if package else "test_calc.T"
    assert ran.outcomes == {f"{name}.test_add": "failed", f"{name}.test_zero": "passed"}, ran.text
    assert ran.spots == [("tests/test_calc.py", 8, "AssertionError")]
    if package:
        assert run(files, "tests", installed={}, select=(f"{name}.test_add",)).outcomes == {f"{name}.test_add": "failed"}


def test_unittest_in_a_src_layout(run):
    files = {"src/calc.py": CALC, "tests/__init__.py": "", "tests/test_calc.py": UNITTESTS}
    ran = run(files, "tests", installed={}, select=("tests.test_calc.T.test_add",))
    assert ran.outcomes == {"tests.test_calc.T.test_add": "failed"}, ran.text


WRONG = 'import os\n\n\ndef f() -> int:\n    text = "\U0001f600"\n    return "x"\n'
CONFIGURED = '[tool.mypy]\nstrict = true\n[tool.pyright]\ninclude = ["src"]\n[tool.ruff]\nsrc = ["src"]\n'


def test_linters_and_type_checkers(run):
    files = {"src/pkg/__init__.py": "", "src/pkg/wrong.py": WRONG, "pyproject.toml": CONFIGURED}
    lint = run(files, "lint")
    assert sorted(lint.spots) == [("src/pkg/wrong.py", 1, "F401"), ("src/pkg/wrong.py", 5, "F841")]
    mypy = run(files, "types")
    assert mypy.spots == [("src/pkg/wrong.py", 6, "return-value")], mypy.text
    assert [mypy.report.findings[0].range.start.character, mypy.report.findings[0].range.end.character] == [11, 14]
    pyright = run(files, "types-pyright")
    assert pyright.spots == [("src/pkg/wrong.py", 6, "reportReturnType")], pyright.text
    assert [lint.code, mypy.code, pyright.code] == [1, 1, 1]


def test_linters_that_find_nothing(run):
    files = {"src/pkg/__init__.py": "", "src/pkg/right.py": "def f() -> int:\n    return 1\n", "pyproject.toml": CONFIGURED}
    for name in ("build", "lint", "types", "types-pyright"):
        ran = run(files, name)
        assert (ran.code, ran.spots, ran.report.complete) == (0, [], True), ran.text


def test_pyright_finds_the_checks_packages_though_its_configuration_names_an_environment(run):
    files = {"a.py": "import msgspec\nx: int = ''\n", "pyrightconfig.json": '{"venvPath": ".", "venv": "nowhere"}'}
    ran = run(files, "types")
    assert ran.spots == [("a.py", 2, "reportAssignmentType")], ran.text


def test_packages_that_cannot_be_imported(run):
    ran = run({"pkg/__init__.py": "from pkg import inner\n", "pkg/inner.py": "import nowhere\n"}, "import", installed={})
    assert ran.code == 1
    assert ran.spots == [("pkg/inner.py", 1, "ModuleNotFoundError")]


def test_a_wheel_that_cannot_be_built(run):
    system = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[tool.suture.checks.wheel]\n'
    files = {"setup.py": "from setuptools import setup\nsetup(name=nme)\n", "pyproject.toml": system}
    ran = run(files, "wheel", installed={"setuptools": "1", "pip": "1"})
    assert ran.code == 1
    assert ran.spots == [("setup.py", 2, "NameError")], ran.text
