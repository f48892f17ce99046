"""Localisation: which unit of which file most likely causes a problem.

For failing tests the evidence is, in this order: the frames of the exception, what ran in the failing tests and not in the passing ones
(Ochiai's coefficient over functions; Abreu et al., "On the Accuracy of Spectrum-based Fault Localization", TAICPART 2007), and what the
failing line itself calls. For types, lint and build it is the place that the tool names.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from suture_agent.direct.trace import Call, Trace
from suture_agent.direct.units import Unit, definitions, first_line, head_unit, parse, unit_at, unit_of
from suture_agent.imports import imported, test_function
from suture_agent.problem import Problem, is_test_path
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import lines_with_ends, split_lines


class Add(Protocol):
    """Adds evidence against a unit."""

    def __call__(self, unit: Unit | None, score: float, seen: tuple[Call, ...] = ()) -> None:
        """Raise the unit's score; None and test code are ignored."""
        ...


MOST_SUSPECTS = 6
PLAIN_INIT = 0.25
"""Taken off a constructor's score: every test of a class runs it, and it is seldom what is wrong."""
CONSTANT_SHARE = 0.35
"""Of a function's score, for each module-level constant that it uses."""
LONGEST_UNIT = 120
"""Lines; a longer function is beyond what a small policy writes anew without harm."""


class Suspect(msgspec.Struct, frozen=True, kw_only=True):
    """A unit that may cause the problem."""

    unit: Unit
    score: float
    calls: tuple[Call, ...] = ()
    """Calls seen in the failing tests."""
    lines: frozenset[int] = frozenset()
    """Lines of the unit, counted from its first, that ran in the failing tests; empty where that is not known."""


def suspects(problem: Problem, snapshot: Snapshot, trace: Trace) -> tuple[Suspect, ...]:
    """Units in order of suspicion, most likely first; never test code."""
    scores: dict[tuple[str, str], float] = {}
    units: dict[tuple[str, str], Unit] = {}
    calls: dict[tuple[str, str], tuple[Call, ...]] = {}

    def add(unit: Unit | None, score: float, seen: tuple[Call, ...] = ()) -> None:
        if unit is None or is_test_path(unit.path) or unit.lines > LONGEST_UNIT:
            return
        key = (unit.path, unit.name)
        units.setdefault(key, unit)
        scores[key] = scores.get(key, 0.0) + score
        calls[key] = calls.get(key) or seen

    for finding in problem.findings:
        _from_frames(finding, snapshot, add)
    _from_trace(problem, snapshot, trace, add)
    if problem.target.tests:
        _from_tests(problem.findings, snapshot, add)
    _from_names(problem.findings, snapshot, trace, add)
    for key in sorted(scores, key=lambda key: -scores[key])[:3]:
        for constant in _constants(units[key], snapshot):
            add(constant, CONSTANT_SHARE * scores[key])
    ranked = sorted(scores, key=lambda key: -scores[key])[:MOST_SUSPECTS]
    return tuple(Suspect(unit=units[key], score=scores[key], calls=calls[key], lines=_ran(units[key], problem, trace)) for key in ranked)


def _ran(unit: Unit, problem: Problem, trace: Trace) -> frozenset[int]:
    """Lines of the unit that ran in the failing tests."""
    failing = [test for name, test in trace.tests.items() if name in problem.target.tests]
    lines = {line for test in failing for function in test.functions if function.path == unit.path for line in function.lines}
    return frozenset(line - unit.start for line in lines if unit.start <= line < unit.end)


def _from_frames(finding: Finding, snapshot: Snapshot, add: Add) -> None:
    """The place of the finding and the frames that lead to it, the innermost counting most."""
    places = [(place.path, place.range.start.line) for place in finding.related]
    if (finding.path, finding.range.start.line) not in places:
        places.append((finding.path, finding.range.start.line))
    source = [(path, line) for path, line in places if path and not is_test_path(path)]
    for depth, (path, line) in enumerate(reversed(source[-4:])):
        text = snapshot.read_text(path)
        if text is not None:
            add(unit_at(path, text, line), 1.2 / (1 + depth))


def _from_trace(problem: Problem, snapshot: Snapshot, trace: Trace, add: Add) -> None:
    failing = [test for name, test in trace.tests.items() if name in problem.target.tests]
    passing = [test for test in trace.tests.values() if test.outcome == "passed"]
    in_failing: dict[tuple[str, int], int] = {}
    in_passing: dict[tuple[str, int], int] = {}
    seen: dict[tuple[str, int], tuple[Call, ...]] = {}
    for tests, counts in ((failing, in_failing), (passing, in_passing)):
        for test in tests:
            for function in test.functions:
                place = (function.path, function.line)
                counts[place] = counts.get(place, 0) + 1
                if function.calls:
                    seen.setdefault(place, function.calls)
    for order, (place, count) in enumerate(in_failing.items()):
        path, line = place
        text = snapshot.read_text(path)
        if text is None or is_test_path(path):
            continue
        ochiai = count / math.sqrt(len(failing) * (count + in_passing.get(place, 0)))
        unit = unit_at(path, text, line)
        plain = unit is not None and unit.name.endswith("__init__")
        add(unit, ochiai - 0.001 * order - (PLAIN_INIT if plain else 0.0), seen.get(place, ()))


def _from_tests(findings: Iterable[Finding], snapshot: Snapshot, add: Add) -> None:
    """What the failing tests name: strongest when the failing line itself calls it."""
    for finding in findings:
        path = finding.test.split("::", 1)[0]
        text = snapshot.read_text(path)
        tree = parse(text) if text else None
        if tree is None:
            continue
        test = test_function(tree, finding.test)
        homes = imported(tree, path, snapshot)
        used = _names_in(test) if test is not None else set(homes)
        asserted = _names_on_line(test, finding.range.start.line) if test is not None and finding.path == path else set[str]()
        for name in sorted(used & homes.keys()):
            home, original = homes[name]
            for unit in _units_named(home, original, used, snapshot):
                short = unit.name.rsplit(".", 1)[-1]
                add(unit, 0.3 + (0.2 if name in asserted or short in asserted else 0.0) + _likeness(short, finding.test))


def _from_names(findings: Iterable[Finding], snapshot: Snapshot, trace: Trace, add: Add) -> None:
    """Functions that the failing line or the error names but that did not run: a method taken for an attribute, a missing decorator."""
    ran = {(function.path, function.name.rsplit(".", 1)[-1]) for test in trace.tests.values() for function in test.functions}
    paths = {path for path, _ in ran} | {finding.path for finding in findings if finding.path}
    for finding in findings:
        words = set(re.findall(r"[A-Za-z_]\w{2,}", f"{finding.message} {_line_text(finding, snapshot)}"))
        for path in sorted(path for path in paths if not is_test_path(path)):
            text = snapshot.read_text(path)
            tree = parse(text) if text else None
            for name, node in definitions(tree) if tree is not None else []:
                short = name.rsplit(".", 1)[-1]
                if short in words and (path, short) not in ran and not isinstance(node, ast.ClassDef):
                    add(unit_of(path, text or "", name, node), 0.5)


def _line_text(finding: Finding, snapshot: Snapshot) -> str:
    lines = split_lines(snapshot.read_text(finding.path) or "") if finding.path else []
    at = finding.range.start.line
    return lines[at] if at < len(lines) else ""


def _constants(unit: Unit, snapshot: Snapshot) -> Iterator[Unit]:
    """Module-level assignments of the unit's file that it uses: tables, patterns, limits."""
    text = snapshot.read_text(unit.path)
    tree = parse(text) if text else None
    source = parse(unit.source)
    if tree is None or source is None or text is None:
        return
    used = _names_in(source)
    lines = lines_with_ends(text)
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            bound = {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
            if bound & used and _is_table(node.value):
                start, end = node.lineno - 1, node.end_lineno or node.lineno
                name = min(bound & used)
                yield Unit(
                    path=unit.path,
                    name=name,
                    kind="statement",
                    start=start,
                    end=end,
                    indent="",
                    source="".join(lines[start:end]).replace("\r\n", "\n"),
                )


def _is_table(value: ast.expr | None) -> bool:
    """Whether an assignment's value is data that can be wrong: literals, expressions of them, compiled patterns."""
    if isinstance(value, ast.Call):
        return ast.unparse(value.func) in ("re.compile", "frozenset", "dict", "set", "tuple", "list", "Decimal", "timedelta")
    return isinstance(value, ast.Constant | ast.List | ast.Dict | ast.Set | ast.Tuple | ast.BinOp | ast.UnaryOp)


def _units_named(path: str, name: str, used: set[str], snapshot: Snapshot) -> list[Unit]:
    """The unit of that name; for a class or a module those of its functions that the test names."""
    text = snapshot.read_text(path)
    tree = parse(text) if text else None
    if tree is None or text is None:
        return [unit] if text and (unit := head_unit(path, text)) else []
    every = definitions(tree)
    own = [(each, node) for each, node in every if each == name]
    if own and isinstance(own[0][1], ast.ClassDef):
        own = [(each, node) for each, node in every if each.startswith(f"{name}.") and each.rsplit(".", 1)[-1] in used | {"__init__"}]
    elif not name:
        own = [(each, node) for each, node in every if each.rsplit(".", 1)[-1] in used]
    return [unit_of(path, text, each, node) for each, node in own]


def _likeness(name: str, test: str) -> float:
    """Tests are named after what they test: the share of the name's words that the test's name has, as evidence."""
    words = [word for word in re.split(r"_+", name.lower()) if len(word) > 2]
    title = test.rsplit("::", 1)[-1].lower()
    return 0.3 * sum(word in title for word in words) / len(words) if words else 0.0


def _names_in(node: ast.AST) -> set[str]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return names | {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}


def _names_on_line(function: ast.stmt, line: int) -> set[str]:
    statements = [node for node in ast.walk(function) if isinstance(node, ast.stmt) and first_line(node) <= line < (node.end_lineno or 0)]
    return _names_in(statements[-1]) if statements else set()
