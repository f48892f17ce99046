"""No patch whatsoever makes a rule raise: arbitrary bytes, arbitrary text, Python put together and cut up at random."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from suture_sandbox.findings import Finding
from suture_sandbox.guard import RULES, GuardContext, GuardPolicy, inspect
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range

ALL = GuardPolicy(allow_test_edits=True, allow_configuration_edits=True)
FRAGMENTS = [
    "import sys", "from os import _exit as leave", "def f(a, *b, c=1, **d):", "class C(str):", "    return", "    return 1", "    pass",
    "    try:", "        f(1)", "    except:", "    except (ValueError, x.y):", "        raise", "    finally:", "        return 2",
    "if a == 3:",
    "    match a:", "        case [1, 2]: return 3", "        case {'a': 1, **rest}: pass", "x = {1: 2, **y, (3,): [4]}", "x: 'Any' = 1",
    "sys.modules['a'] = 1", "a.b.c = d[0].e = lambda: 0", "del a.b, c[1]", "with suppress(), open('a', 'w') as (a, b.c):", "@a.b(c)",
    "async def g(): await h()", "    yield", "assert a, b", "for a.b in c: break", "while 1: continue", "print(f'{a!r:>{b}}' '\\x00')",
    "#noqa",
    '"""', ">>> f(1)", "1", "lambda: (yield)", "global a", "return not -1 in (1, -2, 'a')", "x = getattr(os, '_exit')()", "(a := 1)",
    "raise", "raise a from b", "if not TYPE_CHECKING: pass", "else: pass", "def test_a(): assert 1 == 1 or x",
    "@pytest.mark.parametrize('a', [1])",
    "\tx", "\f", "\u202e", "\ud7ff", "a\u0430b = 1", "# -*- coding: utf-7 -*-", "{}", "b'\\xff'", "[*a, **b]", "type X = int",
    "except* A: 1",
]  # fmt: skip
PATHS = ["a.py", "src/json.py", "tests/test_a.py", "a/__init__.py", "b.pyi", "data.csv", "x.ts", "pyproject.toml", "", "a\nb.py", "ü/é.py"]

programs = st.lists(st.sampled_from(FRAGMENTS), max_size=14).map("\n".join)
contents = st.one_of(
    st.none(),
    programs.map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(max_size=120).map(lambda text: text.encode("utf-8", "replace")),
    st.binary(max_size=60),
)


def context(test: str) -> GuardContext:
    place = Range(Position(0, 0), Position(0, 0))
    return GuardContext(findings=(Finding(check="types", path="", range=place, message="m", test=test, code="a.E"),))


def all_findings(patch: Patch, snapshot: Snapshot, test: str = "tests/test_a.py::test_a[1]") -> list[str]:
    """Runs each rule by itself, so that the catch of `inspect` hides nothing, then `inspect`."""
    for rule in RULES.values():
        for policy in (GuardPolicy(), ALL):
            list(rule(patch, snapshot, context(test), policy))
    return [finding.rule for finding in inspect(patch, snapshot, context(test), ALL)]


@settings(max_examples=80, deadline=None)
@given(
    edits=st.lists(st.tuples(st.sampled_from(PATHS), contents, contents), max_size=3),
    source=contents,
    test=st.sampled_from(["tests/test_a.py::test_a[1]", "a.py::a.f", "tests.test_a.C.test_a", "", "::", "[", "a\0b::c"]),
)
def test_arbitrary_patches(edits, source, test):
    snapshot = Snapshot(Path("/nonexistent"), {"tests/test_a.py": source, "requirements.txt": source, "pyproject.toml": source})
    patch = Patch(tuple(FileEdit(path=path, before=before, after=after) for path, before, after in edits))
    assert "guard-failed" not in all_findings(patch, snapshot, test)


SOURCES = sorted((Path(__file__).parents[3] / "sandbox" / "suture_sandbox" / "guard").glob("*.py"))


@settings(max_examples=25, deadline=None)
@given(
    path=st.sampled_from(SOURCES),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from(FRAGMENTS)), min_size=1, max_size=4),
)
def test_real_python_cut_up(path, cuts):
    before = path.read_text(encoding="utf-8")
    lines = before.split("\n")
    for start, length, fragment in cuts:
        at = int(start * len(lines))
        lines[at : at + int(length * 12)] = [" " * (4 * (at % 3)) + fragment]
    edit = FileEdit(path="a.py", before=before.encode(), after="\n".join(lines).encode("utf-8", "surrogatepass"))
    snapshot = Snapshot(Path("/nonexistent"), {"tests/test_a.py": before.encode(), "a.py": before.encode()})
    assert "guard-failed" not in all_findings(Patch((edit,)), snapshot)


@settings(max_examples=25, deadline=None)
@given(path=st.sampled_from(SOURCES), seed=st.integers(0, 10_000))
def test_real_python_with_moved_nodes(path, seed):
    """Statements are dropped, doubled and swapped; the result still parses, so that every rule has a tree to read."""
    before = path.read_text(encoding="utf-8")
    tree = ast.parse(before)
    blocks = [node.body for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list) and len(node.body) > 1]
    first, second = blocks[seed % len(blocks)], blocks[seed * 7 % len(blocks)]
    first[seed % len(first)], second[-1] = second[-1], first[seed % len(first)]
    first.insert(0, ast.Return(value=ast.Constant(seed)))
    after = ast.unparse(ast.fix_missing_locations(tree))
    edit = FileEdit(path="a.py", before=before.encode(), after=after.encode())
    snapshot = Snapshot(Path("/nonexistent"), {"tests/test_a.py": after.encode()})
    assert "guard-failed" not in all_findings(Patch((edit,)), snapshot)


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 400 + ")" * 400,
        "x = " + "-" * 3000 + "1",
        "x = " + "1 + " * 3000 + "1",
        "x = " + "[" * 150 + "]" * 150,
        "x" + ".a" * 2000 + " = 1",
        "f" + "()" * 900,
        "\n".join("    " * depth + "if x:" for depth in range(95)) + "\n" + "    " * 95 + "pass",
        "if x: pass\n" + "elif x: pass\n" * 500,
    ],
)
def test_deep_nesting_is_refused_and_never_raises(text):
    edit = FileEdit(path="a.py", before=b"x = 1\n", after=text.encode())
    snapshot = Snapshot(Path("/nonexistent"), {"a.py": b"x = 1\n"})
    found = all_findings(Patch((edit,)), snapshot)
    assert "guard-failed" not in found
    assert {"shape-depth", "shape-long-line"} & set(found) or text.startswith(("\n", "if x:\n    if"))


def test_many_hits_of_every_kind_stay_readable():
    lines = "import os\n" + "".join(
        f"def f{n}(a):\n    # noqa\n    if a == {n + 5}:\n        return {n}\n    os._exit(0)\n" for n in range(300)
    )
    edit = FileEdit(path="a.py", before=b"", after=lines.encode())
    found = inspect(Patch((edit,)), Snapshot(Path("/nonexistent")), GuardContext())
    assert {finding.rule for finding in found} >= {"exits-process", "suppressions-comment"}
