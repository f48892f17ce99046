"""The functions of `make learn`: right as they are written, broken so that it shows, mended by one edit, and split without overlap."""

from __future__ import annotations

import ast
import random
from collections import Counter

import pytest

from suture_training.learn.breaking import broken, smallest_edit
from suture_training.learn.families import NOUNS, called, cells, function, part_of
from suture_training.learn.repositories import write_repository


@pytest.fixture
def chance():
    return random.Random(4)


def test_every_cell_is_a_function_that_does_what_its_examples_say(chance):
    for cell in cells():
        made = function(cell, NOUNS, chance)
        tree = ast.parse(made.source)
        assert isinstance(tree.body[0], ast.FunctionDef)
        assert tree.body[0].name == made.name
        for example in made.examples:
            assert called(made.source, example.call) == example.result
            assert not example.result.endswith("Error") or "per" in made.name


def test_bodies_of_different_cells_differ():
    bodies = {}
    for cell in cells():
        source = function(cell, ["cup", "lamp"], random.Random(0)).source
        bodies.setdefault(source.split("\n", 1)[1].replace("lamp", "cup"), []).append(cell)
    assert all(len(same) == 1 for same in bodies.values())


def test_an_edit_mends_what_was_broken(chance):
    showed = 0
    for cell in cells():
        made = function(cell, NOUNS, chance)
        wrong = broken(made.source, chance)
        assert wrong is not None
        lines = wrong.source.split("\n")
        assert lines[wrong.line - 1].count(wrong.old) == 1
        lines[wrong.line - 1] = lines[wrong.line - 1].replace(wrong.old, wrong.new)
        assert "\n".join(lines) == made.source
        showed += any(called(wrong.source, each.call) != each.result for each in made.examples)
    assert showed > 0.7 * len(cells()), "most mistakes show in the examples"


@pytest.mark.parametrize(
    ("before", "after", "edit"),
    [
        ("return a + b", "return a - b", ("+", "-")),
        ("return a + a + b", "return a + a - b", ("+ b", "- b")),
        ("x = n - 1 - k", "x = n + 1 - k", ("- 1", "+ 1")),
        ("return max(a, b)", "return min(a, b)", ("max", "min")),
        ("return a[0]", "return a[-1]", ("[0]", "[-1]")),
    ],
)
def test_the_smallest_edit_occurs_once(before, after, edit):
    assert smallest_edit(before, after) == edit
    assert before.replace(*edit) == after


def test_parts_are_of_the_sizes_that_are_told():
    counts = Counter(part_of(cell) for cell in cells())
    whole = len(cells())
    assert 0.4 < counts["base"] / whole < 0.6
    assert 0.13 < counts["train"] / whole < 0.27
    assert 0.13 < counts["test"] / whole < 0.27
    assert counts["validation"] > 20


def test_a_repository_is_the_same_every_time_and_its_tests_pass(tmp_path):
    first = write_repository(tmp_path / "a", "held_out01", "test", 7)
    write_repository(tmp_path / "b", "held_out01", "test", 7)
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert len(files) == 1 + 1 + 4 + 4
    assert all((tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes() for path in files)
    assert all(part_of(made.cell) == "test" for made in first)
    namespace: dict[str, object] = {}
    for path in sorted((tmp_path / "a" / "held_out01").glob("part*.py")):
        exec(path.read_text(), namespace)
    for path in sorted((tmp_path / "a" / "tests").glob("*.py")):
        exec(path.read_text().split("\n\n\n", 1)[1], namespace)
    tests = [name for name in namespace if name.startswith("test_")]
    assert len(tests) == 12
    for name in tests:
        namespace[name]()  # type: ignore[operator]


def test_words_that_one_mistake_turns_into_each_other_lie_in_one_part():
    parts = {(cell.shape, cell.change, cell.which): part_of(cell) for cell in cells()}
    for (shape, change, which), part in parts.items():
        if which == "above":
            assert parts[shape, change, "below"] == part
        if change == "next":
            assert parts[shape, "previous", which] == part
