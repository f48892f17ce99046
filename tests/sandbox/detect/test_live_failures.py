"""What real runs of pytest are read as: where a failure is put, what it says, and which test it belongs to."""

from __future__ import annotations

import pytest

OK = "def test_ok(): pass\n"
IMPORTS = "import pkg\n\ndef test_a(): pass\n"
CALLS = "import m\n\ndef test_a():\n    m.f()\n"
TEST = "test_a.py::test_a"
UNCOLLECTED = {
    "a syntax error in an imported module": ({"pkg.py": "def f(:\n  pass\n", "test_a.py": IMPORTS}, ("pkg.py", 1, "SyntaxError")),
    "tabs and blanks, two imports deep": (
        {"pkg/__init__.py": "from . import b\n", "pkg/b.py": "def f():\n\tx=1\n        y=2\n", "test_a.py": IMPORTS},
        ("pkg/b.py", 3, "TabError"),
    ),
    "a name that is not defined at import": ({"pkg.py": "x = 1\ny = z\n", "test_a.py": IMPORTS}, ("pkg.py", 2, "NameError")),
    "modules that import each other": (
        {"pkg.py": "from b import y\nx = 1\n", "b.py": "from pkg import x\ny = 1\n", "test_a.py": IMPORTS},
        ("b.py", 1, "ImportError"),
    ),
    "a module that is missing": ({"test_a.py": IMPORTS}, ("test_a.py", 1, "ModuleNotFoundError")),
    "a syntax error in the test itself": ({"test_a.py": "x = 1\ndef test_a(:\n"}, ("test_a.py", 2, "SyntaxError")),
    "an assertion at import": ({"test_a.py": "x = 1\nassert x == 2\n"}, ("test_a.py", 2, "AssertionError")),
}


@pytest.mark.parametrize("case", UNCOLLECTED)
def test_what_cannot_be_collected_is_no_test_and_hides_no_other(case, run_check, workspace):
    files, place = UNCOLLECTED[case]
    ran = run_check(workspace({**files, "test_other.py": OK}), "tests")
    assert ran.code == 1
    assert ran.outcomes == {"test_other.py::test_ok": "passed"}, ran.text
    (finding,) = ran.report.findings
    assert finding.test == ""
    assert finding.message
    assert ran.spots == [place]
    assert finding.related[-1].path == place[0]
    assert any(line.startswith("E ") for line in finding.detail.splitlines())


REFUSED = {
    "a parameter that the test does not take": (
        {"test_a.py": "import pytest\n\n@pytest.mark.parametrize('a', [1])\ndef test_a(): pass\n"},
        ("test_a.py", 4),
        "In test_a.py::test_a: function uses no argument 'a'",
    ),
    "parameters of the wrong number": (
        {"test_a.py": "import pytest\nclass TestA:\n    @pytest.mark.parametrize('a,b', [(1,)])\n    def test_a(self, a, b): pass\n"},
        ("test_a.py", 4),
        'test_a.py::TestA::test_a: in "parametrize" the number of names (2):',
    ),
    "a mark that is not known": (
        {"test_a.py": "import pytest\n\n@pytest.mark.foo\ndef test_a(): pass\n", "pytest.ini": "[pytest]\naddopts = --strict-markers\n"},
        ("test_a.py", 1),
        "'foo' not found in `markers` configuration option",
    ),
    "two modules of one name": (
        {"a/test_a.py": OK, "test_a.py": OK, "pytest.ini": "[pytest]\n"},
        ("test_a.py", 1),
        "import file mismatch:",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("parser", ["pytest", "pytest-text"])
def test_what_pytest_refuses_while_collecting_says_why(case, parser, run_check, workspace):
    files, place, message = REFUSED[case]
    (finding,) = run_check(workspace({**files, "test_other.py": OK}), "tests").read(parser).findings
    assert (finding.path, finding.range.start.line + 1) == place
    assert finding.message.startswith(message)
    assert (finding.code, finding.test) == ("Failed", "")


@pytest.mark.parametrize(("end", "said"), [("raise KeyboardInterrupt", "KeyboardInterrupt"), ("pytest.exit('bye')", "Exit: bye")])
def test_a_test_that_ends_the_whole_run_is_named(end, said, run_check, workspace):
    test = f"import pytest\ndef test_a(): pass\ndef test_b():\n    {end}\ndef test_c(): pass\n"
    ran = run_check(workspace({"test_a.py": test}), "tests")
    assert ran.code == 2
    assert ran.outcomes == {"test_a.py::test_a": "passed", "test_a.py::test_b": "error"}
    (finding,) = ran.report.findings
    assert (finding.test, finding.path, finding.range.start.line + 1) == ("test_a.py::test_b", "test_a.py", 3)
    assert finding.message.endswith(said)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"test_a.py": "x = 1\n"}, "no tests ran"),
        ({"test_a.py": OK, "pytest.ini": "[pytest]\naddopts = -k nothing\n"}, "no tests ran"),
        ({"test_a.py": "class TestA:\n    def __init__(self): pass\n    def test_a(self): pass\n"}, "cannot collect test class 'TestA'"),
    ],
)
def test_a_run_without_tests_says_so(files, said, run_check, workspace):
    ran = run_check(workspace(files), "tests")
    assert ran.code == 5
    assert [finding.message[: len(said)] for finding in ran.report.findings] == [said], ran.text


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ({"conftest.py": "def x(:\n"}, ("conftest.py", 1, "SyntaxError")),
        ({"conftest.py": "import nope\n"}, ("conftest.py", 1, "ModuleNotFoundError")),
        ({"conftest.py": "import pkg\n", "pkg.py": "\n1 / 0\n"}, ("pkg.py", 2, "ZeroDivisionError")),
    ],
)
def test_a_conftest_that_fails_is_no_test(files, place, run_check, workspace):
    ran = run_check(workspace({**files, "test_a.py": OK}), "tests")
    assert ran.code == 4
    assert not ran.report.complete
    assert ran.spots == [place], ran.text
    assert ran.report.findings[0].test == ""


RAISING = "def f():\n    raise KeyError('x')\n"
CAUSED = "def f():\n    try:\n        {}['a']\n    except KeyError as e:\n        raise ValueError('bad\\nlines') from e\n"
GROUPED = """\
import asyncio
async def bad():
    raise ValueError('x')
async def main():
    async with asyncio.TaskGroup() as g:
        g.create_task(bad())
def f():
    asyncio.run(main())
"""
SET_UP = """\
import unittest
class T(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise ValueError(1)
    def test_c(self): pass
    def test_d(self): pass
"""
FAILING = {
    "in a called function": ({"m.py": RAISING, "test_a.py": CALLS}, ("m.py", 2, "KeyError"), "KeyError: 'x'", ["test_a", "f"]),
    "in a fixture of conftest": (
        {"conftest.py": "import pytest\n\n@pytest.fixture\ndef f():\n    raise OSError('no')\n", "test_a.py": "def test_a(f): pass\n"},
        ("conftest.py", 5, "OSError"),
        "OSError: no",
        ["f"],
    ),
    "at import inside the test": (
        {"m.py": "import json\nfrom json import nope\n", "test_a.py": "def test_a():\n    import m\n"},
        ("m.py", 2, "ImportError"),
        "ImportError: cannot import name 'nope' from 'json'",
        ["test_a", "<module>"],
    ),
    "with a cause": (
        {"m.py": CAUSED, "test_a.py": CALLS},
        ("m.py", 5, "ValueError"),
        "ValueError: bad\nlines",
        ["f", "test_a", "f"],
    ),
    "in a task of a group": (
        {
            "m.py": GROUPED,
            "test_a.py": CALLS,
        },
        ("m.py", 3, "ExceptionGroup"),
        "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\nValueError: x",
        ["test_a", "f", "main", "bad"],
    ),
    "without end": (
        {"m.py": "def f(n=0):\n    return f(n + 1)\n", "test_a.py": CALLS},
        ("m.py", 2, "RecursionError"),
        "RecursionError: maximum recursion depth exceeded",
        ["test_a", "f"],
    ),
    "by an exception of its own with a module": (
        {"m.py": "class Wrong(Exception):\n    pass\ndef f():\n    raise Wrong\n", "test_a.py": CALLS},
        ("m.py", 4, "Wrong"),
        "m.Wrong",
        ["test_a", "f"],
    ),
    "in a line with signs outside of the plane": (
        {"test_a.py": "def test_a():\n    '\U0001f600'; assert 1 == 2\n"},
        ("test_a.py", 2, "AssertionError"),
        "assert 1 == 2",
        ["test_a"],
    ),
    "in a file with a mark, carriage returns, a form feed and tabs": (
        {"m.py": b"\xef\xbb\xbfx = 1\r\n\x0c\r\ndef f():\r\n\traise ValueError('\xc3\xa9')\r\n", "test_a.py": CALLS},
        ("m.py", 4, "ValueError"),
        "ValueError: é",
        ["test_a", "f"],
    ),
    "by leaving the interpreter": (
        {"m.py": "def f():\n    exit(3)\n", "test_a.py": CALLS},
        ("m.py", 2, "SystemExit"),
        "SystemExit: 3",
        ["test_a", "f"],
    ),
}


@pytest.mark.parametrize("case", FAILING)
def test_a_failing_test_is_put_where_it_happened(case, run_check, workspace):
    files, place, message, functions = FAILING[case]
    root = workspace({**files, "test_other.py": OK})
    ran = run_check(root, "tests")
    assert ran.outcomes[TEST] in ("failed", "error"), ran.text
    assert ran.outcomes["test_other.py::test_ok"] == "passed"
    (finding,) = ran.report.findings
    assert ran.spots == [place], ran.text
    assert finding.test == TEST
    assert finding.message.startswith(message)
    assert [each.message for each in finding.related] == functions
    text = (root / place[0]).read_bytes().decode("utf-8-sig").replace("\r\n", "\n").split("\n")[place[1] - 1]
    covered = text.encode("utf-16-le")[2 * finding.range.start.character : 2 * finding.range.end.character].decode("utf-16-le")
    assert covered == text.strip()


def test_every_test_of_a_class_or_module_that_cannot_be_set_up_is_a_finding(run_check, workspace):
    files = {
        "test_a.py": "def setup_module():\n    1 / 0\ndef test_a(): pass\ndef test_b(): pass\n",
        "test_c.py": SET_UP,
    }
    ran = run_check(workspace(files), "tests")
    names = ["test_a.py::test_a", "test_a.py::test_b", "test_c.py::T::test_c", "test_c.py::T::test_d"]
    assert ran.outcomes == dict.fromkeys(names, "error")
    assert [finding.test for finding in ran.report.findings] == names
    assert ran.spots == [("test_a.py", 2, "ZeroDivisionError")] * 2 + [("test_c.py", 5, "ValueError")] * 2


def test_a_long_comparison_keeps_its_explanation(run_check, workspace):
    test = "def test_a():\n    got = {'a': 1, 'b': [1, 2, 3]}\n    assert got == {'a': 1, 'b': [1, 2, 4]}, 'why'\n"
    (finding,) = run_check(workspace({"test_a.py": test}), "tests").report.findings
    assert finding.message.startswith("AssertionError: why\nassert {'a': 1, 'b': [1, 2, 3]} == {'a': 1, 'b': [1, 2, 4]}")
    said = [line for line in finding.detail.splitlines() if line.startswith("E ")]
    assert any("Differing items" in line for line in said)
    assert any("{'b': [1, 2, 3]} != {'b': [1, 2, 4]}" in line for line in said)
