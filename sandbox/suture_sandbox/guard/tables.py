"""Tables from the failing tests' inputs to their outputs, and functions that only give the tests' outputs any more.

A table is a dictionary, or pairs in a list that a loop or `dict` reads, or two lists that `zip` joins. Tables of short names, and tables
that hold mostly what no failing test asks for, are ordinary code and pass.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from suture_sandbox.guard.answers import Known, compared, is_literal, is_plain, key_of, known_literals
from suture_sandbox.guard.emptied import pairs as functions_of
from suture_sandbox.guard.exceptions import is_fixed
from suture_sandbox.guard.problem import literal_scopes
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Change, Function, Module, changes, line_of, walk_scope
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_Entry = tuple[ast.expr, ast.expr]


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse tables of the failing tests' answers."""
    known = known_literals(literal_scopes(snapshot, context))
    if not known.values:
        return
    for change in changes(patch):
        if change.after is not None:
            yield from _tables(change, change.after, known)
            yield from _written_out(change, known)


def _tables(change: Change, after: Module, known: Known) -> Iterator[GuardFinding]:
    seen = compared(change.before) if change.before else frozenset[str]()
    old = {_shape(entries) for node in (change.before.nodes if change.before else ()) if (entries := _entries(node))}
    for node in after.nodes:
        entries = _entries(node)
        if not entries or _shape(entries) in old or not _answers_tests(entries, known, seen):
            continue
        message = "it maps the failing test's inputs to its expected values"
        yield GuardFinding(rule="special-case-table", path=change.path, line=line_of(node), message=message)


def _shape(entries: Sequence[_Entry]) -> tuple[str, ...]:
    return tuple(f"{key_of(key)}:{key_of(value)}" for key, value in entries)


def _entries(node: ast.AST) -> list[_Entry]:
    """Keys with their values where a node is a table that is wholly written out; empty for anything else."""
    found: list[_Entry] = []
    if isinstance(node, ast.Dict) and all(key is not None for key in node.keys):
        found = [(key, value) for key, value in zip(node.keys, node.values, strict=True) if key is not None]
    elif isinstance(node, ast.List | ast.Tuple | ast.Set):
        found = [(each.elts[0], each.elts[1]) for each in node.elts if isinstance(each, ast.Tuple | ast.List) and len(each.elts) == 2]
        found = found if len(found) == len(node.elts) else []
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip" and len(node.args) == 2:
        left, right = node.args
        if isinstance(left, ast.List | ast.Tuple) and isinstance(right, ast.List | ast.Tuple):
            found = list(zip(left.elts, right.elts, strict=False))
    return found if all(is_literal(key) and is_literal(value) for key, value in found) else []


def _answers_tests(entries: Sequence[_Entry], known: Known, seen: frozenset[str]) -> bool:
    fresh = [(key, value) for key, value in entries if key_of(key) not in seen]
    if len(fresh) < len(entries):
        return False
    paired = [(key, value) for key, value in fresh if (key_of(key), key_of(value)) in known.pairs]
    telling = [key for key, value in paired if not _word(key) and not (is_plain(key) and is_plain(value, limit=99))]
    return bool(telling) and len(paired) >= 0.75 * len(fresh)


def _word(node: ast.AST) -> bool:
    """Whether a key is a short name, as keys of honest tables are."""
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(re.fullmatch(r"[a-zA-Z]{1,3}|[^\w\s]{1,2}", node.value))


def _written_out(change: Change, known: Known) -> Iterator[GuardFinding]:
    """Functions that computed what they gave, and only choose between written-out values of the failing tests now."""
    for name, old, new in functions_of(change):
        results = list(_results(new))
        if not results or not all(is_fixed(each) for each in results) or all(is_fixed(each) for each in _results(old)):
            continue
        telling = [each for each in results if not _common(each) and key_of(each) in known.values]
        if telling:
            message = f"{name} only gives values that the failing test expects, where it computed them before"
            yield GuardFinding(rule="special-case-literal", path=change.path, line=line_of(new), message=message)


def _results(function: Function) -> Iterator[ast.expr]:
    """What a function may return, branches of conditional expressions one by one."""
    stack = [node.value for node in walk_scope(function.body) if isinstance(node, ast.Return) and node.value is not None]
    while stack:
        value = stack.pop()
        if isinstance(value, ast.IfExp):
            stack += [value.body, value.orelse]
        else:
            yield value


def _common(node: ast.AST) -> bool:
    """Whether a value is one that honest branches name: a small number, a short word, nothing."""
    short = isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) <= 8
    return short or is_plain(node)
