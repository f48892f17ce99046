"""Sieving many small edits in a single attempt, so that only promising ones cost a proof."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import resources

import msgspec

from suture_agent.direct.answers import home_of, rewrite, with_lines
from suture_agent.direct.templates import Edit
from suture_agent.direct.trace import pytest_arguments
from suture_agent.direct.units import Unit, definitions, extent, parse, placed
from suture_agent.imports import bound_names
from suture_agent.meter import Meter
from suture_sandbox.backend import Command
from suture_sandbox.checks import Check
from suture_sandbox.snapshot import Snapshot

SCREEN_SECONDS = 30
MOST_TESTS, MOST_PASSING = 20, 200
"""Failing tests that a trial is held to, and passing ones of the same files that it must not break."""
_WORD = re.compile(r"[A-Za-z_]\w*")


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """An edit to try: the characters from `start` to `end` of the unit's file are replaced."""

    unit: Unit
    start: int
    end: int
    replacement: str
    weight: float
    """How likely the edit is, against the others: far less likely ones are left out once one passes."""
    in_place: bool
    """Whether only the body of a function changes, and it ran in the failing tests: its new code can be put into the collected program."""

    def apply(self, text: str) -> str:
        """The file's new text."""
        return text[: self.start] + self.replacement + text[self.end :]


class Screened(msgspec.Struct, frozen=True, array_like=True):
    """A trial with which at least one of the failing tests passes."""

    trial: int
    passed: int
    """How many of the tests pass."""
    whole: bool
    """Whether all of them do."""
    more: int = 0
    """How many of the tests that are hoped for pass as well."""


def trials_of(
    unit: Unit, text: str, edits: Sequence[Edit], *, ran: bool, share: float = 1.0, homes: Mapping[str, str] | None = None
) -> Iterator[Trial]:
    """The edits of a unit as trials of its file's text.

    `ran`: whether the unit ran in the failing tests; `share`: of the edits' weight; `homes`: as for `rewrite`.
    """
    start, end = extent(text, unit)
    known = {*_WORD.findall(text), *dir(builtins)}
    tree = parse(text)
    alone = tree is not None and sum(name == unit.name for name, _ in definitions(tree)) == 1
    header = _header(parse(unit.source))
    for edit in edits:
        changed = parse(edit.source)
        if changed is not None and all(node.id in known for node in ast.walk(changed) if isinstance(node, ast.Name)):
            in_place = ran and alone and header is not None and header == _header(changed)
            replacement, weight = placed(text, unit, edit.source), edit.weight * share
            yield Trial(unit=unit, start=start, end=end, replacement=replacement, weight=weight, in_place=in_place)
        elif (new := rewrite(text, unit, edit.source, homes)) is not None:  # a name that is new to the file may have to be imported
            yield Trial(unit=unit, start=0, end=len(text), replacement=new, weight=edit.weight * share, in_place=False)


def import_trials(unit: Unit, text: str, names: Iterable[str], modules: Mapping[str, Sequence[str]]) -> Iterator[Trial]:
    """For names that are not defined: the imports of the standard library and of the workspace that define them."""
    tree = parse(text)
    if tree is None:
        return
    bound = bound_names(tree)
    for name in sorted(names):
        lines = [f"from {module} import {name}" for module, defined in modules.items() if name in defined]
        lines += [f"from {module.rpartition('.')[0]} import {name}" for module in modules if module.endswith(f".{name}")]
        lines += [f"import {module}" for module in modules if module == name]
        for line in dict.fromkeys(line for line in (home_of(name), *lines) if line and name not in bound):
            yield Trial(unit=unit, start=0, end=len(text), replacement=with_lines(text, tree, [line]), weight=3.0, in_place=False)


async def screen(
    meter: Meter,
    check: Check,
    snapshot: Snapshot,
    tests: Sequence[str],
    trials: Sequence[Trial],
    *,
    passing: Sequence[str] = (),
    hoped: Sequence[str] = (),
) -> tuple[Screened, ...]:
    """The trials with which any of `tests` passes, in order; none where the check is not pytest or the run breaks down.

    A trial with which all of them pass but one of `passing` fails is left out. `hoped`: failing tests of other problems.
    """
    arguments = pytest_arguments(check)
    if arguments is None or not tests or not trials:
        return ()
    program = resources.files("suture_agent").joinpath("direct", "screen_program.py").read_text(encoding="utf-8")
    argv = ("python", "-c", program, "{report}", str(SCREEN_SECONDS), *arguments)
    files = {path: snapshot.read_text(path) or "" for path in {trial.unit.path for trial in trials}}
    described = [
        (trial.unit.path, trial.start, trial.end, trial.replacement, trial.unit.name if trial.in_place else "", trial.weight)
        for trial in trials
    ]
    chosen = {"failing": tests[:MOST_TESTS], "passing": passing[:MOST_PASSING], "hoped": hoped[:MOST_TESTS]}
    given = msgspec.json.encode({**chosen, "files": files, "trials": described})
    held = snapshot.with_edits({path: snapshot.read(path) for path in files})  # or what belongs to another user could not be written to
    completed = await meter.run(held, Command(argv=argv, stdin=given, seconds=SCREEN_SECONDS + 20))
    try:
        found = msgspec.json.decode(completed.report, type=tuple[Screened, ...])
    except msgspec.DecodeError:
        return ()
    return tuple(each for each in found if 0 <= each.trial < len(trials))


def _header(tree: ast.Module | None) -> str | None:
    """What a function's definition is without its body, which is taken out of the tree; None for anything else."""
    function = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    function.body = [ast.Pass()]
    return ast.dump(function)
