"""Ids that are read from pytest's reports: pytest takes each on its command line and selects exactly that test."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

SELECT = """\
import json, pytest, sys
sys.dont_write_bytecode = True
class Seen:
    def pytest_collection_finish(self, session):
        self.ids = [item.nodeid for item in session.items]
found = {}
for name in json.loads(sys.argv[1]):
    for module in [each for each in sys.modules if each.split(".")[0] in ("conftest", "tests", "pkg", "base") or "test_" in each]:
        del sys.modules[module]
    seen = Seen()
    code = pytest.main([*sys.argv[2:], "--collect-only", "-qq", name], plugins=[seen])
    found[name] = seen.ids if code == 0 else [f"exit {code}"]
open("selected.json", "w").write(json.dumps(found))
"""
PARAMETERS = '["", " ", "x y", "a::b", "[", "]", "a[b]", "] - ", "a - b", "é", "日本", "\\\\n", "\\t", "\\x00", "/", "a.b", "-x", "FAILED", "%", "&<>\\"", "\\\\", "\\U0001f600", "x" * 300]'  # noqa: E501  # one list, one text
PARAMETRISED = f"""\
import pytest

@pytest.mark.parametrize("a", {PARAMETERS})
def test_add(a): assert 0

@pytest.mark.parametrize("b", [1.5, None, True, (1, 2), int], ids=repr)
@pytest.mark.parametrize("a", [pytest.param(1, id="one two"), pytest.param(2, id="[x]")])
def test_two(a, b): assert 0
"""
CLASSES = """\
import unittest
import pytest

class TestA:
    def test_a(self): assert 0
    class TestB:
        def test_b(self): assert 0
        class TestC:
            @pytest.mark.parametrize("x", ["::", "a.b"])
            def test_c(self, x): assert 0
    @staticmethod
    def test_static(): assert 0

@pytest.mark.parametrize("x", [1, 2])
class TestEach:
    def test_x(self, x): assert 0

class Old(unittest.TestCase):
    def test_old(self): self.fail()

class TestFixture:
    @pytest.fixture(params=["p q", "r"])
    def value(self, request): return request.param
    def test_value(self, value): assert 0

async def test_async(): assert 0
def test_ünïcode(): assert 0
def test(): assert 0
def test_error(nowhere): pass
"""
BASE = "class Base:\n    def test_base(self): assert 0\n    class TestInner:\n        def test_inner(self): assert 0\n"
DERIVED = "from base import Base\nclass TestDerived(Base): pass\nclass TestOther(Base):\n    def test_own(self): assert 0\n"
GENERATED = """\
def pytest_generate_tests(metafunc):
    if "value" in metafunc.fixturenames:
        metafunc.parametrize("value", ["a b", "c::d"])
"""
DOCTESTS = (
    'def add(a, b):\n    """\n    >>> add(1, 1)\n    3\n    """\n    return a + b\n\n\nclass C:\n    """\n    >>> 1\n    2\n    """\n'
)
SHAPES = {
    "parameters": {"test_a.py": PARAMETRISED},
    "classes": {"test_a.py": CLASSES},
    "a folder without __init__": {"tests/unit/test_a.py": CLASSES},
    "packages": {"tests/__init__.py": "", "tests/unit/__init__.py": "", "tests/unit/test_a.py": CLASSES},
    "tests inside the package": {"pkg/__init__.py": "", "pkg/tests/__init__.py": "", "pkg/tests/test_a.py": PARAMETRISED},
    "equal names in two folders": {"one/test_a.py": CLASSES, "two/test_a.py": CLASSES},
    "folders with dots and blanks": {"a.b/c d/test_a.py": CLASSES, "v1.0/test_b.py": "def test_b(): assert 0\n"},
    "a src layout": {"src/pkg/__init__.py": "X = 1\n", "tests/test_a.py": "import pkg\ndef test_x(): assert pkg.X == 2\n"},
    "inherited tests": {"base.py": BASE, "tests/test_a.py": DERIVED, "pytest.ini": "[pytest]\npythonpath = .\n"},
    "generated tests": {"conftest.py": GENERATED, "tests/conftest.py": "", "tests/test_a.py": "def test_g(value): assert 0\n"},
    "own names": {"checks/check_a.py": "class CheckA:\n    def check_a(self): assert 0\n", "pytest.ini": "[pytest]\npython_files = check_*.py\npython_classes = Check\npython_functions = check_*\n"},  # noqa: E501  # one case, one line
    "doctests": {"pkg/__init__.py": "", "pkg/calc.py": DOCTESTS, "pytest.ini": "[pytest]\naddopts = --doctest-modules\n"},
    "a module named like its class": {"TestA/test_TestA.py": "class TestA:\n    def test_TestA(self): assert 0\n"},
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_every_id_of_the_report_selects_its_test_alone(shape, workspace, run_check):
    root = workspace(SHAPES[shape])
    ran = run_check(root, "tests")
    assert ran.report.complete, ran.text
    assert ran.outcomes, ran.text
    assert set(ran.outcomes.values()) <= {"failed", "error"}
    assert {finding.test for finding in ran.report.findings} == set(ran.outcomes)
    words = ["--rootdir=.", "-p", "no:cacheprovider", *(["-o", "pythonpath=src"] if (root / "src").exists() else [])]
    words += [word for word in ran.argv if word.startswith("--import-mode")]
    done = subprocess.run(
        [sys.executable, "-c", SELECT, json.dumps([*ran.outcomes]), *words], cwd=root, capture_output=True, text=True, check=False
    )
    selected = json.loads((root / "selected.json").read_text()) if (root / "selected.json").exists() else done.stderr
    assert selected == {name: [name] for name in ran.outcomes}


@pytest.mark.parametrize("shape", ["parameters", "classes", "folders with dots and blanks", "inherited tests"])
def test_the_text_alone_gives_the_same_ids(shape, workspace, run_check):
    ran = run_check(workspace(SHAPES[shape]), "tests")
    text = ran.read("pytest-text")
    assert {test.id: test.outcome for test in text.tests} == ran.outcomes
    assert {finding.test for finding in text.findings} == set(ran.outcomes)
