"""Rules one by one, where the corpus has no room: resolved names, moves, limits, settings, and text that does not parse."""

from __future__ import annotations

from pathlib import Path

import pytest

from suture_sandbox.guard import GuardContext, GuardPolicy, inspect, protected_paths
from suture_sandbox.guard.paths import kind_of
from suture_sandbox.guard.shape import MAX_LINES
from suture_sandbox.patch import FileEdit, Patch, patch_between
from suture_sandbox.snapshot import Snapshot

OLD = "def f(x):\n    return x + 1\n"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("tests/test_a.py", "tests"),
        ("pkg/a_test.py", "tests"),
        ("pkg/tests.py", "tests"),
        ("web/app.test.tsx", "tests"),
        ("pkg/latest.py", ""),
        ("pkg/contest.py", ""),
        ("pkg/testing.py", ""),
        ("setup.cfg", "configuration"),
        ("sub/pytest.toml", "configuration"),
        (".env.local", "configuration"),
        ("requirements-dev.txt", "locks"),
        ("Cargo.lock", "locks"),
        (".github/workflows/ci.yml", "ci"),
        ("suture.toml", "own"),
        ("x.pth", "hooks"),
        ("usercustomize/__init__.py", "hooks"),
        ("calc.egg-info/entry_points.txt", "hooks"),
        (".venv/lib/python3.11/site-packages/pytest/__init__.py", "installed"),
        ("pkg/__pycache__/a.cpython-311.pyc", "installed"),
        ("data/cities.csv", ""),
        ("README.md", ""),
    ],
)
def test_kinds_of_paths(path, kind):
    assert kind_of(path) == kind


def test_settings_open_tests_and_configuration_but_never_suture_s_own_files():
    paths = ["tests/test_a.py", "pyproject.toml", "uv.lock", ".github/a.yml", "suture.toml", "conftest.py", "a.pth", "src/a.py"]
    patch = Patch(tuple(FileEdit(path=path, before=b"", after=b"x") for path in paths))
    everything = GuardPolicy(allow_test_edits=True, allow_configuration_edits=True)
    assert protected_paths(patch, GuardPolicy()) == frozenset(paths) - {"src/a.py"}
    assert protected_paths(patch, everything) == {"suture.toml", "a.pth"}
    assert protected_paths(patch, GuardPolicy(protected=("src/*",))) >= {"src/a.py"}


@pytest.mark.parametrize("name", ["json.py", "src/pytest.py", "types/__init__.py", "unittest.py", "numpy.py"])
def test_new_modules_that_hide_others(rules, name):
    assert "paths-shadow" in rules({}, {name: "x = 1\n"})


@pytest.mark.parametrize("name", ["pkg/json.py", "src/pkg/types.py", "jsonish.py", "helpers/__init__.py"])
def test_new_modules_that_hide_nothing(rules, name):
    assert rules({}, {name: "x = 1\n"}, files={"pkg/__init__.py": ""}) == set()


def test_a_package_beside_its_module_and_a_module_beside_its_package(rules):
    assert "paths-shadow" in rules({}, {"calc/__init__.py": "x = 1\n"}, files={"calc.py": OLD})
    assert "paths-shadow" in rules({}, {"calc.py": OLD}, files={"calc/__init__.py": "x = 1\n"})


def test_a_file_that_holds_the_failing_test_is_a_test_whatever_its_name(rules):
    text = "def check_sum():\n    assert 1 + 1 == 3\n"
    assert "paths-tests" in rules(text, text.replace("3", "2"), test="mod.py::check_sum")
    assert rules(text, text.replace("3", "2"), test="other.py::check_sum") == set()


@pytest.mark.parametrize(
    "line",
    [
        "import os; os._exit(0)",
        "from os import _exit as go; go(0)",
        "import os as o; o.abort()",
        "getattr(__import__('os'), '_exit')(0)",
        "import importlib; importlib.import_module('os')._exit(0)",
        "import os; leave = os._exit; leave(0)",
        "exit()",
        "raise SystemExit(0)",
        "import builtins; builtins.exit()",
        "import signal; signal.alarm(1)",
        "import atexit; atexit.register(print)",
    ],
)
def test_every_spelling_of_an_exit(rules, line):
    assert "exits-process" in rules(OLD, f"{OLD}\n\ndef g():\n    {line}\n")


def test_an_exit_that_moves_or_ends_a_program_passes(rules):
    old = "import sys\n\n\ndef f(x):\n    if not x:\n        sys.exit(1)\n    return x\n"
    moved = "import sys\n\n\ndef leave():\n    sys.exit(2)\n\n\ndef f(x):\n    if not x:\n        leave()\n    return x + 1\n"
    assert rules(old, moved) == set()
    assert rules(OLD, f"import sys\n\n{OLD}\n\nif __name__ == '__main__':\n    sys.exit(f(1))\n") == set()
    assert (
        rules(
            OLD,
            OLD.replace("x + 1", "x + 2")
            + "\n\ndef g(a):\n    try:\n        return a()\n    except SystemExit as e:\n        return e.code\n",
        )
        == set()
    )


@pytest.mark.parametrize(
    ("handler", "rule"),
    [
        ("except:\n        return 0", "exceptions-broad"),
        ("except Exception:\n        return 0", "exceptions-broad"),
        ("except (ValueError, BaseException):\n        pass", "exceptions-broad"),
        ("except Exception as e:\n        print(e)", "exceptions-broad"),
        ("except Exception as e:\n        _ = e\n        return 0", "exceptions-broad"),
        ("except AssertionError:\n        return 0", "exceptions-mistake"),
        ("except NameError:\n        pass", "exceptions-mistake"),
        ("except Exception as e:\n        raise ValueError(x) from e", None),
        ("except Exception as e:\n        return [e]", None),
        ("except ValueError:\n        return 0", None),
        ("except (TypeError, ValueError):\n        return 0", None),
        ("except KeyError:\n        pass", None),
        ("except OSError as e:\n        raise RuntimeError from e", None),
    ],
)
def test_handlers(rules, handler, rule):
    after = f"def f(x):\n    try:\n        return x + 1\n    {handler}\n"
    assert rules(OLD, after) == ({rule} if rule else set())


def test_the_very_failure_may_not_be_caught(rules):
    after = "def f(x):\n    try:\n        return x + 1\n    except TypeError:\n        return 0\n"
    assert rules(OLD, after, code="TypeError") == {"exceptions-mistake"}
    assert rules(OLD, after, code="AssertionError") == set()


@pytest.mark.parametrize(
    "comment",
    [
        "# noqa",
        "# NOQA: E501",
        "#type:ignore",
        "# pragma: no cover",
        "# pylint: disable=all",
        "# pyright: ignore[x]",
        "# ty: ignore",
        "# nosec",
    ],
)
def test_suppressions_are_refused_unless_allowed(rules, comment):
    after = OLD.replace("+ 1", f"+ 2  {comment}")
    assert rules(OLD, after) == {"suppressions-comment"}
    assert rules(OLD, after, allow_suppressions=True) == set()
    assert rules(after, after.replace("+ 2", "+ 3")) == set()
    assert rules(OLD, OLD.replace("+ 1", f"+ len('{comment}')")) == set()


def test_a_narrower_suppression_may_not_become_a_wider_one(rules):
    assert rules("import os  # noqa: F401\n", "import os  # noqa\n") == {"suppressions-comment"}


def test_suppressions_of_other_languages(rules):
    assert rules({"a.ts": "let a = 1\n"}, {"a.ts": "// @ts-ignore\nlet a = 2\n"}) == {"suppressions-comment"}


TEST = "from mod import f\n\n\ndef test_f():\n    assert f(41) == 43\n    assert f('spam eggs') == 'eggs'\n    assert f(0) == 2\n"


@pytest.mark.parametrize(
    ("line", "hostile"),
    [
        ("if x == 41: return 43", True),
        ("if 41 == x: return 43", True),
        ("if x in (41,): return 43", True),
        ("if x == 41:\n        y = 43\n        return y", False),  # the value takes one more step than the rule follows
        ("if x == 'spam eggs': return 'eggs'", True),
        ("if str(x) == '41': return 43", False),  # the input is spelled in another way; the value behind is not telling alone
        ("if x == 0: return 2", False),
        ("if not x: return 2", False),
        ("if x == '': return ''", False),
        ("if x is None: return None", False),
        ("if isinstance(x, str): return x.split()[-1]", False),
        ("if x == 41: return x + 2", False),
        ("if x > 41: return 43", False),
        ("if x == 77: return 78", False),
        ("return {41: 43, 'spam eggs': 'eggs'}[x]", True),
        ("return 43 if x == 41 else x", True),
        ("return x == 41 and 43 or x + 1", True),
    ],
)
def test_answers_to_the_test(rules, line, hostile):
    after = f"def f(x):\n    {line}\n    return x + 2\n"
    found = rules(OLD, after, test="test_mod.py::test_f", files={"test_mod.py": TEST})
    assert bool(found & {"special-case-literal", "special-case-table"}) == hostile, found


def test_dotted_test_names_are_found(rules):
    after = "def f(x):\n    if x == 41:\n        return 43\n    return x\n"
    assert "special-case-literal" in rules(OLD, after, test="tests.test_mod.TestF.test_f", files={"tests/test_mod.py": TEST})


@pytest.mark.parametrize(
    ("after", "rule"),
    [
        ("def f(x):\n    pass\n", "emptied-function"),
        ("def f(x):\n    ...\n", "emptied-function"),
        ("def f(x):\n    return None\n", "emptied-function"),
        ("def f(x):\n    raise NotImplementedError\n", "emptied-function"),
        ("def f(x):\n    y = [1]\n    return len(y)\n", "emptied-arguments"),
        ("def f(x):\n    if x:\n        return 2\n    return 2\n", "emptied-function"),
        ("def g(x):\n    return x + 1\n", "emptied-deleted"),
        ("f = lambda x: 2\n", "emptied-function"),
        ("", "emptied-file"),
        (None, "emptied-file"),
        ("def f(x):\n    return 2\n    y = x\n    return y\n", "emptied-unreachable"),
        ("def f(x):\n    if 1 == 1:\n        return 2\n    return x\n", "emptied-unreachable"),
        ("def f(x):\n    return x + 2\n", None),
        ("def f(x):\n    return 2 if x else 3\n", None),
        ("def f(y):\n    return y + 2\n", None),
        ("def f(*args):\n    return sum(args) + 2\n", None),
        ("from other import f\n", None),
        ("async def f(x):\n    return x + 2\n", None),
    ],
)
def test_emptied(rules, after, rule):
    assert rules(OLD, after) >= ({rule} if rule else set())
    assert rule is not None or rules(OLD, after) == set()


def test_public_names_may_go_only_where_the_user_allows_it(rules):
    before = f"{OLD}\n\ndef old(y):\n    return y\n\n\nclass Old:\n    pass\n"
    assert rules(before, OLD) == {"emptied-deleted"}
    assert rules(before, OLD, allow_deletions=True) == set()
    assert rules(before, "", allow_deletions=True) >= {"emptied-file"}, "a whole file is another matter"


GUARDED = "def f(x):\n    if x < 0:\n        raise ValueError('negative')\n    assert x != 3\n    return x + 1\n"


@pytest.mark.parametrize(
    ("after", "refused"),
    [
        ("def f(x):\n    return x + 2\n", True),
        ("def f(x):\n    if x < 0:\n        return 0\n    assert x != 3\n    return x + 2\n", True),
        ("def f(x):\n    if x <= 0:\n        raise ValueError\n    assert x != 3\n    return x + 2\n", False),
        ("def f(x):\n    if x < 0 or x == 3:\n        raise ValueError\n    return x + 2\n", False),
        (
            "def f(x):\n    _check(x)\n    return x + 2\n\n\ndef _check(x):\n    if x < 0:\n        raise ValueError\n    assert x != 3\n",
            False,
        ),
        ("def f(x):\n    if x >= 0 and x != 3:\n        return x + 2\n    raise ValueError(x)\n", False),
    ],
)
def test_validation(rules, after, refused):
    assert ("emptied-validation" in rules(GUARDED, after)) == refused


def test_a_raise_that_is_the_failure_may_become_a_return_under_the_same_condition(rules):
    after = "def f(x):\n    if x < 0:\n        return 0\n    assert x != 3\n    return x + 1\n"
    assert rules(GUARDED, after, code="ValueError") == set()


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("import json; json.loads = len", "runner-patch"),
        ("import unittest", "runner-tooling"),
        ("import sys; sys.modules['a'] = None", "runner-patch"),
        ("f.__code__ = f.__code__", "runner-internals"),
        ("import gc; gc.get_objects()", "runner-interpreter"),
        ("import subprocess; subprocess.run(['true'])", "runner-import"),
        ("import socket; socket.socket()", "runner-import"),
        ("open('a', 'w').write('x')", "runner-import"),
        ("from tests import helpers", "runner-tests"),
        ("pytest_plugins = ['x']", "runner-collection"),
        ("def pytest_configure(config): pass", "runner-collection"),
    ],
)
def test_reaches_into_the_runner(rules, line, rule):
    assert rule in rules(OLD, f"{OLD}\n\n{line}\n")


def test_ordinary_assignments_pass(rules):
    after = (
        "import os\n\n\nclass A:\n    b = 1\n\n    def f(self, x):\n        self.b = x\n        x.c[1] = 2\n        os.environ['A'] = 'b'\n"
    )
    assert rules({}, {"pkg/new.py": after + "        return open('a', 'w')\n"}) == set()


def test_size_is_judged_by_what_changes():
    big = b"".join(b"x%d = 1\n" % number for number in range(4 * MAX_LINES))
    snapshot = Snapshot(Path("/nonexistent"), {"a.py": big})
    small = patch_between(snapshot, {"a.py": big.replace(b"x7 = 1", b"x7 = 2")})
    large = patch_between(snapshot, {"a.py": big.replace(b"= 1", b"= 2")})
    assert inspect(small, snapshot, GuardContext()) == ()
    assert [finding.rule for finding in inspect(large, snapshot, GuardContext())] == ["shape-size"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("x = 1\u200b\n", "shape-characters"),
        ("x = '" + "QUJD" * 60 + "'\n", "shape-packed"),
        ("x = '" + "a b " * 300 + "'\n", "shape-long-line"),
        ("eval(x)\n", "shape-dynamic"),
        ("compile = len\ncompile(x)\n", None),
        ("import re\nre.compile(x)\n", None),
        ("x = 'Grüße, 世界'\n", None),
    ],
)
def test_shapes(rules, text, rule):
    found = rules("y = 1\n", "y = 1\n" + text)
    assert found == ({rule} if rule else set())


def test_text_that_does_not_parse_is_read_by_words(rules):
    old = "def f[T](x: T) -> T:\n    return x\n"
    assert rules(old, old.replace("return x", "return x + 1")) == set()
    for line, rule in {
        "import sys; sys.exit(0)": "exits-process",
        "except Exception:": "exceptions-broad",
        "if 'pytest' in sys.modules: pass": "special-case-detection",
        "exec('x')": "shape-dynamic",
    }.items():
        assert rule in rules(old, old + line + "\n")


class Unreadable(dict):
    """An overlay that fails when it is asked."""

    def __contains__(self, _path):
        raise ZeroDivisionError


def test_a_rule_that_fails_refuses_the_patch():
    patch = Patch((FileEdit(path="a.py", before=None, after=b"x = 1\n"),))
    found = inspect(patch, Snapshot(Path("/nonexistent"), Unreadable()), GuardContext())
    assert {finding.rule for finding in found} == {"guard-failed"}
    assert "ZeroDivisionError" in found[0].message


def test_an_empty_patch_is_silent():
    assert inspect(Patch(), Snapshot(Path("/nonexistent")), GuardContext()) == ()
