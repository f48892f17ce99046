"""Which test the cursor is in, and which actions a client asks for."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from suture_server.lsp.actions import FIX_FILE, FIX_WORKSPACE, KINDS, QUICK_FIX, _wants, _wants_exactly
from suture_server.lsp.actions import test_around as around  # as it is called, pytest would collect it
from suture_server.lsp.documents import Document

HERE = "  # here"

LAYOUTS = {
    "plain": ("def test_a():\n    x = 1\n    assert x  # here\n", "test_a"),
    "head": ("def test_a():  # here\n    pass\n", "test_a"),
    "blank line inside": ("def test_a():\n    x = 1\n  # here\n    assert x\n", "test_a"),
    "comment in the first column": ("def test_a():\n# note\n    pass  # here\n", "test_a"),
    "module before": ("import os  # here\n\n\ndef test_a():\n    pass\n", ""),
    "module between": ("def test_a():\n    pass\n\n\nx = 1  # here\n", ""),
    "module between, deeper": ("def test_a():\n    pass\n\n\nif True:\n    x = 1  # here\n", ""),
    "helper": ("def test_a():\n    pass\n\n\ndef helper():\n    pass  # here\n", ""),
    "helper that begins alike": ("def tested():\n    pass  # here\n", "tested"),
    "async": ("async def test_a():\n    await x  # here\n", "test_a"),
    "class": ("class TestA:\n    def test_b(self):\n        pass  # here\n", "TestA::test_b"),
    "class and two tests": (
        "class TestA:\n    def test_b(self):\n        pass\n\n    def test_c(self):\n        pass  # here\n",
        "TestA::test_c",
    ),
    "second class": ("class TestA:\n    pass\n\n\nclass TestB(Base):\n    def test_c(self):\n        pass  # here\n", "TestB::test_c"),
    "nested classes": ("class A:\n    class B:\n        def test_c(self):\n            pass  # here\n", "A::B::test_c"),
    "after a nested class": ("class A:\n    class B:\n        x = 1\n\n    def test_c(self):\n        pass  # here\n", "A::test_c"),
    "body of a class": ("class A:\n    def test_b(self):\n        pass\n\n    x = 1  # here\n", ""),
    "head of a class": ("def test_b():\n    pass\n\n\nclass A:  # here\n    pass\n", ""),
    "function after a class": ("class A:\n    x = 1\n\n\ndef test_b():\n    pass  # here\n", "test_b"),
    "function inside": ("def test_a():\n    def test_inner():\n        return 1  # here\n\n    assert test_inner()\n", "test_a"),
    "after a function inside": ("def test_a():\n    def inner():\n        return 1\n\n    assert inner()  # here\n", "test_a"),
    "class inside": ("def test_a():\n    class X:\n        def test_b(self):\n            pass  # here\n", "test_a"),
    "test inside of a helper": ("def helper():\n    def test_a():\n        pass  # here\n", ""),
    "decorator": ("def test_a():\n    pass\n\n\n@mark  # here\ndef test_b():\n    pass\n", "test_b"),
    "decorators": ("def test_a():\n    pass\n\n\n@mark\n@other(1)  # here\n@third\nasync def test_b():\n    pass\n", "test_b"),
    "long decorator": ("@mark.parametrize(\n    'a',\n    [1, 2],  # here\n)\ndef test_b(a):\n    pass\n", "test_b"),
    "end of a long decorator": ("@mark.parametrize(\n    'a',\n    [1, 2],\n)  # here\ndef test_b(a):\n    pass\n", "test_b"),
    "decorator in a class": ("class A:\n    @mark  # here\n    def test_b(self):\n        pass\n", "A::test_b"),
    "decorator of a class": ("def test_a():\n    pass\n\n\n@mark  # here\nclass A:\n    pass\n", ""),
    "decorator of nothing": ("def test_a():\n    pass\n\n\n@mark  # here\n", ""),
    "long signature": ("def test_a(\n    one,  # here\n    two,\n):\n    pass\n", "test_a"),
    "end of a long signature": ("def test_a(\n    one,\n) -> None:  # here\n    pass\n", "test_a"),
    "after a long signature": ("def test_a(\n    one,\n) -> None:\n    pass  # here\n", "test_a"),
    "closing bracket": ("def test_a():\n    x = [\n        1,\n]\n    assert x  # here\n", "test_a"),
    "string that looks like a test": ('def test_a():\n    x = """\ndef test_b():\n    pass\n"""\n    assert x  # here\n', "test_a"),
    "inside of such a string": ('def test_a():\n    x = """\ndef test_b():\n    pass  # here\n"""\n    assert x\n', "test_a"),
    "string of the module": ('X = """\ndef test_b():\n    pass  # here\n"""\n', ""),
    "quotes in quotes": ('def test_a():\n    x = "\'\'\'"\n    y = \'"""\'  # """\n    assert x  # here\n', "test_a"),
    "string in one line": ('def test_a():\n    """A test."""\n    x = """a""" + \'\'\'b\'\'\'\n    pass  # here\n', "test_a"),
    "other quotes inside": ("def test_a():\n    x = '''\n\"\"\"\n'''\n\n\ndef test_b():\n    pass  # here\n", "test_b"),
    "raw string": ('def test_a():\n    x = r"""\nclass A:\n"""\n    pass  # here\n', "test_a"),
    "documented": ('def test_a():\n    """Says\n\n    much.\n    """\n    pass  # here\n', "test_a"),
    "in a condition": ("if X:\n    def test_a():\n        pass  # here\n", "test_a"),
    "tabs": ("class A:\n\tdef test_b(self):\n\t\tpass  # here\n", "A::test_b"),
    "one line": ("class A: pass\n\n\ndef test_b(): pass  # here\n", "test_b"),
    "line ends": ("class A:\r\n    def test_b(self):\r\n        pass  # here\r\n", "A::test_b"),
    "half written": ("def test_a(:\n    x = (1,  # here\n", "test_a"),
    "names": ("def test_ünï_1():\n    pass  # here\n", "test_ünï_1"),
    "word that begins alike": ("def test_a():\n    pass\n\n\nclassify = 1  # here\n", ""),
}


@pytest.mark.parametrize(("text", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_the_test_around_a_line(text: str, expected: str):
    line = next(number for number, each in enumerate(text.split("\n")) if HERE.strip() in each)
    assert around(Document("file:///a.py", "python", 1, text), line) == expected


def test_beyond_the_text_and_in_none():
    assert around(Document("file:///a.py", "python", 1, ""), 0) == ""
    assert around(Document("file:///a.py", "python", 1, "def test_a():\n    pass"), 99) == "test_a"


BODY = st.deferred(lambda: st.lists(PART, min_size=1, max_size=4))
PART = (
    st.just(["x = 1"])
    | st.just(['"""', "def test_no():", "    pass", '"""'])
    | st.deferred(
        lambda: st.tuples(st.sampled_from(["def test_{}():", "async def test_{}(", "class T{}:", "def helper{}():", "if True:"]), BODY).map(
            block
        )
    )
)


def block(given_parts: tuple[str, list[list[str]]]) -> list[str]:
    head, body = given_parts
    name = head.replace("{}", str(len(str(body))))
    heads = [name, "    x=1,", "):"] if name.endswith("(") else [name]
    inner = [line for part in body for line in part]
    quoted = False
    indented: list[str] = []
    for line in inner:
        indented.append(line if quoted else f"    {line}")
        quoted ^= line.strip() == '"""'
    return ["@mark", *heads, *indented] if not name.startswith("if") else [*heads, *indented]


@settings(deadline=None)  # what is drawn may be long, and the machine busy: a deadline that is missed is shrunk for minutes
@given(BODY)
def test_as_python_sees_it(body: list[list[str]]):
    text = "\n".join(line for part in body for line in part) + "\n"
    expected = dict.fromkeys(range(text.count("\n")), "")

    def walk(nodes: list[ast.stmt], names: tuple[str, ...], test: str | None) -> None:
        for node in nodes:
            inner, of = names, test
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                inner = (*names, node.name)
                if test is None and not isinstance(node, ast.ClassDef):
                    of = "::".join(inner) if node.name.startswith("test") else ""
                first = node.decorator_list[0].lineno - 1
                expected.update(dict.fromkeys(range(first, node.end_lineno), of or ""))
            if hasattr(node, "body"):
                walk(node.body, inner, of)

    walk(ast.parse(text).body, (), None)
    document = Document("file:///a.py", "python", 1, text)
    assert {number: around(document, number) for number in expected} == expected


@pytest.mark.parametrize(
    ("only", "wanted"),
    [
        (None, set(KINDS)),
        ([], set()),
        ([""], set(KINDS)),
        ([types.CodeActionKind.Empty], set(KINDS)),
        ([types.CodeActionKind.QuickFix], {QUICK_FIX}),
        (["quickfix"], {QUICK_FIX}),
        (["quickfix.other"], set()),
        (["quick"], set()),
        ([types.CodeActionKind.Source], {FIX_FILE, FIX_WORKSPACE}),
        (["source.suture"], {FIX_FILE, FIX_WORKSPACE}),
        (["source.suture.fixFile"], {FIX_FILE}),
        (["source.suture.fix"], set()),
        ([types.CodeActionKind.SourceFixAll], set()),
        (["source.organizeImports", "refactor"], set()),
        (["refactor", "source.suture.fixWorkspace", "quickfix"], {FIX_WORKSPACE, QUICK_FIX}),
    ],
)
def test_the_kinds_that_are_asked_for(only: list | None, wanted: set[str]):
    assert {kind for kind in KINDS if _wants(only, kind)} == wanted
    assert {kind for kind in KINDS if _wants_exactly(only, kind)} == (wanted if only is not None else set())
