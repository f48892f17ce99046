"""Code that answers the failing tests' inputs one by one.

The literals of the failing tests are compared with new conditions; for tables see `tables`. Base cases (`if n == 0`, `if not text`),
literals that the file compared with before, and switches over many such cases are ordinary code and pass.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from suture_sandbox.guard.exceptions import is_fixed
from suture_sandbox.guard.problem import literal_scopes
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Hit, Module, changes, dump, line_of
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_WORDS = frozenset(
    [
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "null",
        "none",
        "nil",
        "nan",
        "inf",
        "infinity",
        "-inf",
        "+inf",
        "y",
        "n",
        "t",
        "f",
        "auto",
        "default",
        "all",
        "any",
        "utf-8",
        "ascii",
        "ok",
        "error",
        "left",
        "right",
        "up",
        "down",
    ]
)


_CONSTRUCTOR = re.compile(r"[A-Z]\w*[a-z]\w*|UUID|date|datetime|time|timedelta|frozenset|complex")
_BRACKETS = ("(", "[", "{")


class Known(msgspec.Struct, frozen=True):
    """Literals of the failing tests."""

    values: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    """Literals that stand together: the arguments of a call and what it is compared with, the parts of a parametrised case."""


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse code that answers the failing tests' own inputs."""
    files = changes(patch)
    known = known_literals(literal_scopes(snapshot, context))
    if not known.values:
        return
    for change in files:
        if change.after is None:
            continue
        seen = compared(change.before) if change.before else frozenset[str]()
        switches = _switches(change.before) if change.before else Counter[str]()
        for hit in _answers(change.after, known, seen, switches):
            if change.before is None and not change.created and _line(change.new, hit.line) in change.old_lines:
                continue
            yield GuardFinding(rule=hit.key, path=change.path, line=hit.line, message=hit.message)


def _line(text: str, number: int) -> str:
    lines = text.splitlines()
    return lines[number].strip() if number < len(lines) else ""


def known_literals(scopes: Sequence[ast.AST]) -> Known:
    """What is written out in the failing tests."""
    values: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    for scope in scopes:
        for node in ast.walk(scope):
            if is_literal(node):
                values.add(key_of(node))
            if isinstance(node, ast.Compare | ast.Tuple | ast.List | ast.Call | ast.Dict):
                pairs |= _pairs(node)
    return Known(frozenset(values), frozenset(pairs))


def _pairs(node: ast.AST) -> set[tuple[str, str]]:
    """Every input with every output of one small expression; large ones tell nothing."""
    if isinstance(node, ast.Dict):
        return {
            (key_of(key), key_of(value))
            for key, value in zip(node.keys, node.values, strict=True)
            if key and is_fixed(key) and is_fixed(value)
        }
    if isinstance(node, ast.Compare):
        inputs = [key_of(inner) for inner in ast.walk(node.left) if is_literal(inner)]
        outputs = [key_of(each) for each in node.comparators if is_literal(each)]
    elif isinstance(node, ast.Call):
        outputs = [key_of(each) for each in node.args if is_literal(each)]
        calls = [each for each in node.args if isinstance(each, ast.Call)]
        inputs = outputs + [key_of(inner) for call in calls for inner in call.args if is_literal(inner)]
    else:
        parts = node.elts if isinstance(node, ast.Tuple | ast.List) else []
        inputs = outputs = [key_of(each) for each in parts if is_literal(each)]
    if len(inputs) > 12:
        return set()
    return {(left, right) for left in inputs for right in outputs}


def is_literal(node: ast.AST) -> bool:
    """Whether it is written-out data: a literal, or what a constructor makes of literals, such as `Decimal("0.35")`."""
    if isinstance(node, ast.Call):
        inner = [*node.args, *(keyword.value for keyword in node.keywords)]
        return bool(inner) and bool(_CONSTRUCTOR.fullmatch(_last(node.func))) and all(map(is_literal, inner))
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(map(is_literal, node.elts))
    return isinstance(node, ast.Constant | ast.Dict | ast.UnaryOp) and is_fixed(node)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def key_of(node: ast.AST) -> str:
    """Equal for equal data; lists and tuples are not told apart, nor is data from its own text."""
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, str) and value[:1] in _BRACKETS:
            return _key_of_text(value)
        return repr(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 2**52 else repr(value)
    if isinstance(node, ast.Call):
        parts = [*map(key_of, node.args), *(f"{keyword.arg}={key_of(keyword.value)}" for keyword in node.keywords)]
        return f"{_last(node.func)}({','.join(parts)})"
    if isinstance(node, ast.Tuple | ast.List):
        return "[" + ",".join(key_of(element) for element in node.elts) + "]"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        return "-" + key_of(node.operand)
    return dump(node)


def _key_of_text(text: str) -> str:
    try:
        written = ast.parse(text, mode="eval").body if len(text) < 2000 else None
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        written = None
    return key_of(written) if written is not None and not isinstance(written, ast.Constant) and is_literal(written) else repr(text)


def is_plain(node: ast.AST, *, limit: int = 2) -> bool:
    """Whether a literal is one of those that honest base cases name: small numbers, empty things, a single sign, a common word."""
    if isinstance(node, ast.UnaryOp):
        return is_plain(node.operand, limit=limit)
    if isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, str | bytes):
            return len(value) <= 1 or (isinstance(value, str) and value.strip().lower() in _WORDS)
        return not isinstance(value, int | float | complex) or abs(value) <= limit
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return len(node.elts) == 0
    if isinstance(node, ast.Call):
        return all(is_plain(arg, limit=limit) for arg in node.args)
    return isinstance(node, ast.Dict) and not node.keys


def compared(module: Module) -> frozenset[str]:
    """Literals that the file compared with, matched or looked up before."""
    found: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.Compare):
            found |= {key_of(inner) for side in (node.left, *node.comparators) for inner in ast.walk(side) if is_literal(inner)}
        elif isinstance(node, ast.Dict):
            found |= {key_of(key) for key in node.keys if key is not None and is_literal(key)}
        elif isinstance(node, ast.MatchValue):
            found.add(key_of(node.value))
    return frozenset(found)


def _switches(module: Module) -> Counter[str]:
    """How often each expression was compared with a literal before: a function that is a switch may get one more case."""
    return Counter(dump(node.left) for node in module.nodes if isinstance(node, ast.Compare) and _equals(node) and _literals(node))


def _equals(node: ast.Compare) -> bool:
    return all(isinstance(operator, ast.Eq | ast.In | ast.Is) for operator in node.ops)


def _literals(node: ast.Compare) -> list[ast.expr]:
    """The literals that a comparison asks for, those of a collection one by one after `in`."""
    found: list[ast.expr] = []
    for operator, side in zip((ast.Eq(), *node.ops), (node.left, *node.comparators), strict=True):
        if isinstance(operator, ast.In) and isinstance(side, ast.Tuple | ast.List | ast.Set) and is_fixed(side):
            found += side.elts
        elif is_literal(side):
            found.append(side)
    return found


def _answers(module: Module, known: Known, seen: frozenset[str], switches: Counter[str]) -> Iterator[Hit]:
    """Conditions on a test's input with a test's expected value behind them."""
    for node in module.nodes:
        for test, outcome in _branches(node):
            asked = _asked(test, seen, switches)
            if asked and _is_answer(asked, outcome, known):
                shown = ast.unparse(asked[0])[:40]
                yield Hit("special-case-literal", line_of(test), f"it answers the failing test's own input {shown} with a fixed value")
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Compare) and _lists_inputs(node.value, known, seen):
            yield Hit("special-case-literal", line_of(node), "it lists the failing test's own inputs instead of computing an answer")


def _lists_inputs(node: ast.Compare, known: Known, seen: frozenset[str]) -> bool:
    """Whether a comparison is a list of numbers of the tests; months, days and HTTP statuses are lists that people write."""
    values = [each for each in _literals(node) if not is_plain(each) and key_of(each) not in seen]
    numbers = [each for each in values if isinstance(each, ast.Constant) and isinstance(each.value, int | float)]
    large = any(not is_plain(each, limit=31) for each in numbers)
    return (
        _equals(node) and len(numbers) >= 2 and large and all(key_of(each) in known.values for each in numbers) and not _statuses(numbers)
    )


def _statuses(numbers: Iterable[ast.expr]) -> bool:
    return all(isinstance(each, ast.Constant) and isinstance(each.value, int) and 100 <= each.value <= 599 for each in numbers)


def _branches(node: ast.AST) -> Iterator[tuple[ast.expr, ast.AST | None]]:
    """Conditions with what they give; the outcome is None where it is no plain value."""
    if isinstance(node, ast.If):
        outcome = _outcome(node.body)
        if outcome is not None:
            yield node.test, outcome
    elif isinstance(node, ast.IfExp):
        yield node.test, node.body
        yield node.test, node.orelse
    elif isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        for value in node.values:
            if isinstance(value, ast.BoolOp) and isinstance(value.op, ast.And):
                yield value.values[0], value.values[-1]
    elif isinstance(node, ast.Match):
        for case in node.cases:
            outcome = _outcome(case.body)
            pattern = case.pattern
            asked: ast.expr | None = None
            if isinstance(pattern, ast.MatchValue):
                asked = pattern.value
            elif isinstance(pattern, ast.MatchSequence):
                parts = [each.value for each in pattern.patterns if isinstance(each, ast.MatchValue)]
                asked = ast.Tuple(elts=parts, ctx=ast.Load()) if parts and len(parts) == len(pattern.patterns) else None
            if asked is not None and outcome is not None:
                yield ast.copy_location(ast.Compare(left=node.subject, ops=[ast.Eq()], comparators=[asked]), case.pattern), outcome


def _outcome(body: Sequence[ast.stmt]) -> ast.AST | None:
    """The value that a short block gives: returned, yielded, or assigned."""
    last = body[-1] if body and len(body) <= 2 else None
    if isinstance(last, ast.Return):
        return last.value
    if isinstance(last, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = last.targets if isinstance(last, ast.Assign) else [last.target]
        return None if any(isinstance(target, ast.Attribute) for target in targets) else last.value  # an attribute is state, no answer
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Yield):
        return last.value.value
    if isinstance(last, ast.Raise):
        return last
    return None


def _asked(test: ast.expr, seen: frozenset[str], switches: Counter[str]) -> list[ast.expr]:
    """Telling literals that a condition asks for; empty for base cases and for what was asked before."""
    compares = [node for node in ast.walk(test) if isinstance(node, ast.Compare) and _equals(node)]
    together = len(compares) > 1 and isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And)
    found: list[ast.expr] = []
    for node in compares:
        if switches[dump(node.left)] >= 2:
            continue
        telling = [each for each in _literals(node) if not is_plain(each, limit=1 if together else 2) and key_of(each) not in seen]
        found += telling
    return found


def _is_answer(asked: Sequence[ast.expr], outcome: ast.AST | None, known: Known) -> bool:
    if isinstance(outcome, ast.Raise):
        numbers = [each for each in asked if isinstance(each, ast.Constant) and isinstance(each.value, int | float)]
        return (
            bool(numbers)
            and not _statuses(numbers)
            and all(key_of(each) in known.values and not is_plain(each, limit=10) for each in numbers)
        )
    if outcome is None or not (is_fixed(outcome) or is_literal(outcome)):
        return False
    if isinstance(outcome, ast.Constant) and isinstance(outcome.value, bool) and all(is_plain(each, limit=3) for each in asked):
        return False
    inputs = [each for each in asked if key_of(each) in known.values]
    expected = key_of(outcome) in known.values or (isinstance(outcome, ast.Constant) and outcome.value in (None, True, False))
    computed = not is_plain(outcome, limit=99) and key_of(outcome) in known.values
    return (bool(inputs) and expected) or (not inputs and computed and all(isinstance(each, ast.Constant) for each in asked))
