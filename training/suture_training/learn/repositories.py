"""Healthy repositories of such functions, each a small package with its tests, written to disk."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from suture_training.learn.families import NOUNS, Cell, Function, cells, function, part_of
from suture_training.tasks.task import Split

MODULES = 4
FUNCTIONS = 3
"""In each module."""
_PROJECT = '[project]\nname = "{name}"\nversion = "1.0"\n\n[tool.pytest.ini_options]\npythonpath = ["."]\ntestpaths = ["tests"]\n'


def write_repository(folder: Path, name: str, split: Split, seed: int) -> tuple[Function, ...]:
    """Write one with functions of a split; equal seeds write equal files. Returns its functions."""
    chance = random.Random(f"repository {split} {seed}")  # noqa: S311  # reproducible, not secret
    chosen = chance.sample([cell for cell in cells() if part_of(cell) == split], MODULES * FUNCTIONS)
    nouns = chance.sample(NOUNS, 12)
    made: list[Function] = []
    for cell in chosen:
        made.append(_new(cell, nouns, chance, made))
    write_package(folder, name, made)
    return tuple(made)


def write_package(folder: Path, name: str, functions: Sequence[Function]) -> None:
    """Write functions as a package, three to a module, with a test of each."""
    (folder / "tests").mkdir(parents=True, exist_ok=True)
    (folder / name).mkdir(exist_ok=True)
    (folder / "pyproject.toml").write_text(_PROJECT.format(name=name), encoding="utf-8")
    (folder / name / "__init__.py").write_text("", encoding="utf-8")
    for number, start in enumerate(range(0, len(functions), FUNCTIONS), 1):
        own = functions[start : start + FUNCTIONS]
        module = f"part{number}"
        (folder / name / f"{module}.py").write_text("\n\n".join(each.source for each in own), encoding="utf-8")
        (folder / "tests" / f"test_{module}.py").write_text(_tests(name, module, own), encoding="utf-8")


def _new(cell: Cell, nouns: Sequence[str], chance: random.Random, taken: Sequence[Function]) -> Function:
    while True:
        made = function(cell, nouns, chance)
        if all(made.name != other.name for other in taken):
            return made


def _tests(package: str, module: str, functions: Sequence[Function]) -> str:
    imported = ", ".join(sorted(each.name for each in functions))
    cases = [
        f"def test_{each.name}():\n" + "".join(f"    assert {example.call} == {example.result}\n" for example in each.examples)
        for each in functions
    ]
    return f"from {package}.{module} import {imported}\n\n\n" + "\n\n".join(cases)
