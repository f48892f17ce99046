"""Units are whole lines, keep the file's conventions, and splice back without touching anything else."""

from __future__ import annotations

import ast
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_agent.direct.units import definitions, head_unit, parse, splice, unit_at, unit_named, unit_of

TEXT = textwrap.dedent(
    '''
    """A module."""

    import math
    from dataclasses import dataclass

    LIMIT = 3


    def area(radius):
        """Area of a circle."""
        return math.pi * radius


    @dataclass
    class Cart:
        items: list

        @property
        def total(self):
            return sum(self.items)

        async def pay(
            self,
            amount,
        ):
            return amount


    TABLE = {
        "a": 1,
    }
    '''
).lstrip("\n")


def line_of(piece: str) -> int:
    return next(number for number, line in enumerate(TEXT.splitlines()) if piece in line)


def test_function_with_signature_and_docstring_as_its_opening():
    unit = unit_named("m.py", TEXT, "area")
    assert unit is not None
    assert unit.source == 'def area(radius):\n    """Area of a circle."""\n    return math.pi * radius\n'
    assert unit.opening == 'def area(radius):\n    """Area of a circle."""\n'


def test_method_is_dedented_and_keeps_its_decorator():
    unit = unit_at("m.py", TEXT, line_of("sum(self.items)"))
    assert unit is not None
    assert (unit.name, unit.indent) == ("Cart.total", "    ")
    assert unit.source.startswith("@property\ndef total(self):\n")
    assert unit.opening == "@property\ndef total(self):\n"


def test_signature_over_several_lines_belongs_to_the_opening():
    unit = unit_named("m.py", TEXT, "Cart.pay")
    assert unit is not None
    assert unit.opening == "async def pay(\n    self,\n    amount,\n):\n"


def test_line_between_methods_gives_the_class():
    unit = unit_at("m.py", TEXT, line_of("items: list"))
    assert unit is not None
    assert (unit.name, unit.kind) == ("Cart", "class")


def test_line_in_the_imports_gives_the_head_without_what_follows():
    unit = unit_at("m.py", TEXT, line_of("import math"))
    assert unit is not None
    assert unit.kind == "head"
    assert unit.source.endswith("LIMIT = 3\n")


def test_module_level_statement_after_the_definitions():
    unit = unit_at("m.py", TEXT, line_of('"a": 1'))
    assert unit is not None
    assert (unit.kind, unit.source) == ("statement", 'TABLE = {\n    "a": 1,\n}\n')


def test_broken_file_gives_the_lines_around_the_error():
    text = "import os\n\n\ndef first():\n    return 1\n\n\ndef second(:\n    return 2\n\n\ndef third():\n    return 3\n"
    unit = unit_at("m.py", text, 7)
    assert unit is not None
    assert unit.source == "def second(:\n    return 2\n"


def test_one_line_function_has_no_opening_to_keep():
    unit = unit_named("m.py", "def one(): return 1\n", "one")
    assert unit is not None
    assert unit.opening == ""


def test_nothing_in_an_empty_file():
    assert unit_at("m.py", "", 0) is None
    assert head_unit("m.py", "", 0) is None


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_splice_keeps_line_ends_and_indent(newline: str):
    text = TEXT.replace("\n", newline)
    unit = unit_named("m.py", text, "Cart.total")
    assert unit is not None
    new = splice(text, unit, "@property\ndef total(self):\n    return sum(self.items) + 1\n")
    assert new == text.replace("sum(self.items)", "sum(self.items) + 1")


def test_splice_keeps_a_missing_final_newline():
    text = "def f():\n    return 1"
    unit = unit_named("m.py", text, "f")
    assert unit is not None
    assert splice(text, unit, "def f():\n    return 2\n") == "def f():\n    return 2"


@given(st.integers(0, 40))
def test_splicing_a_unit_into_itself_changes_nothing(line: int):
    unit = unit_at("m.py", TEXT, line)
    if unit is not None:
        assert splice(TEXT, unit, unit.source) == TEXT
        ast.parse(splice(TEXT, unit, unit.source))


def test_lines_end_as_python_has_them():
    """A form feed and its like end no line, neither in a traceback nor in a syntax tree."""
    text = 'NAMES = "a\u2028b"\n\x0c\ndef first():\n    return "c\x1cd\x85"\n\n\ndef second():\n    return 2\n'
    tree = parse(text)
    assert tree is not None
    found = {name: unit_of("m.py", text, name, node).source for name, node in definitions(tree)}
    assert found["second"] == "def second():\n    return 2\n"
    assert found["first"].startswith("def first():\n")
