"""Rewrites told by example: every line of the tables does what it says, and the pattern language keeps to its own rules."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suture_agent.direct.templates.habits import HABITS
from suture_agent.direct.templates.pattern import Rewrite, by_type, filled, matches
from suture_agent.direct.templates.scene import Scene
from suture_agent.direct.units import Unit, parse, unit_at

LETTERS = {letter: f"{letter.lower()}_{letter.lower()}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def scene(source: str) -> Scene:
    tree = parse(source)
    unit = unit_at("m.py", source, 0)
    assert tree is not None
    assert isinstance(unit, Unit)
    return Scene(unit=unit, source=source, tree=tree)


def rewritten(source: str, before: str, after: str) -> list[str]:
    """The sources that a rewrite makes of one."""
    looked_at = scene(source)
    rewrite = Rewrite.of(before, after)
    return [
        looked_at.swap(match.node, text)
        for match in matches(looked_at, by_type(looked_at.tree), rewrite)
        for text in filled(looked_at, match, rewrite)
    ]


def concrete(text: str) -> str:
    """A side of a rewrite with names for its letters, as the body of a function."""
    said = re.sub(r"(?<!['\"])\b[A-Z]\b(?!['\"])", lambda letter: LETTERS[letter[0]], text.replace("*REST", "one, two=2"))
    return "\n".join(f"    {line}" for line in said.splitlines())


@pytest.mark.parametrize("rewrite", HABITS, ids=lambda each: f"{each.before} => {each.after}")
def test_every_line_turns_what_it_shows_into_what_was_meant(rewrite):
    parameters = ", ".join(sorted(LETTERS.values()))
    source = f"async def function({parameters}):\n{concrete(rewrite.before)}\n"
    looked_at = scene(source)
    found = list(matches(looked_at, by_type(looked_at.tree), rewrite))
    made = [parse(looked_at.swap(match.node, text)) for match in found for text in filled(looked_at, match, rewrite)]
    assert any(each is not None for each in made)
    free = set(re.findall(r"\b[A-Z]\b", rewrite.after)) - set(re.findall(r"\b[A-Z]\b", rewrite.before))
    if not free:
        wanted = ast.dump(ast.parse(f"async def function({parameters}):\n{concrete(rewrite.after)}\n"))
        assert wanted in [ast.dump(each) for each in made if each is not None]


def test_no_line_is_there_twice():
    lines = [(rewrite.before, rewrite.after) for rewrite in HABITS]
    assert len(lines) == len(set(lines))


def test_a_letter_stands_for_one_and_the_same_expression():
    assert rewritten("a = zip(b.c, b.c)\n", "zip(X, X)", "zip(X, X[1:])") == ["a = zip(b.c, b.c[1:])\n"]
    assert rewritten("a = zip(b.c, b.d)\n", "zip(X, X)", "zip(X, X[1:])") == []


def test_what_a_neighbour_would_tear_apart_gets_parentheses():
    assert rewritten("a = round(b + c)\n", "round(X)", "X // 1") == ["a = (b + c) // 1\n"]
    assert rewritten("a = round(b + c)\n", "round(X)", "int(X)") == ["a = int(b + c)\n"]


def test_a_name_imported_from_its_module_is_the_same_function():
    assert rewritten("a = chain(b)\n", "itertools.chain(X)", "itertools.chain.from_iterable(X)") == ["a = chain.from_iterable(b)\n"]
    assert rewritten("a = other.chain(b)\n", "itertools.chain(X)", "itertools.chain.from_iterable(X)") == []


def test_the_rest_of_a_call_is_kept():
    before, after = "open(X, *REST)", "io.open(X, *REST)"
    assert rewritten("a = open(b, 'r', encoding=c)\n", before, after) == ["a = io.open(b, 'r', encoding=c)\n"]
    assert rewritten("a = open(b)\n", before, after) == ["a = io.open(b)\n"]


def test_keywords_come_in_any_order_and_none_is_ignored():
    before, after = "f(a=X, b=Y)", "g(X, Y)"
    assert rewritten("z = f(b=2, a=1)\n", before, after) == ["z = g(1, 2)\n"]
    assert rewritten("z = f(b=2, a=1, c=3)\n", before, after) == []


def test_lines_take_the_place_of_a_statement_at_its_depth():
    made = rewritten("def f(x):\n    if x:\n        x.cancel()\n", "X.cancel()", "X.cancel(); X.join()")
    assert made == ["def f(x):\n    if x:\n        x.cancel()\n        x.join()\n"]


def test_a_letter_of_the_right_side_alone_is_any_parameter():
    assert rewritten("def f(a, b):\n    return c.most_common()\n", "X.most_common()", "X.most_common(N)") == [
        "def f(a, b):\n    return c.most_common(a)\n",
        "def f(a, b):\n    return c.most_common(b)\n",
    ]


@given(st.text(alphabet="abXYZ()[]{}.,=+-*:'\"#\n é\x0c\r", max_size=60))
def test_any_text_that_parses_can_be_looked_at(source):
    tree = parse(source)
    unit = unit_at("m.py", source, 0)
    if tree is not None and unit is not None:
        looked_at, among = Scene(unit=unit, source=source, tree=tree), by_type(tree)
        for rewrite in HABITS:
            for match in matches(looked_at, among, rewrite):
                assert all(looked_at.swap(match.node, text) for text in filled(looked_at, match, rewrite))
