"""Values that pass for any other: comparisons that always hold, and lookups that answer every name.

An honest `__eq__` compares something; an honest `__getattr__` looks the name up somewhere, or raises AttributeError for most.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Function, Hit, Module, added, changes, line_of, statements, walk_scope
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_COMPARISONS = frozenset({"__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__contains__", "__instancecheck__", "__subclasscheck__"})
_DENIALS = frozenset({"__ne__"})
_VALUES = frozenset({"str", "int", "float", "bytes", "dict", "list", "tuple", "set", "complex", "bool", "Decimal"})
_LOOKUPS = frozenset({"__getattr__", "__getattribute__"})


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse values that equal everything."""
    files = changes(patch)
    for find in (_methods, _bindings, _lookups):
        for change, hit in added(files, find):
            yield GuardFinding(rule=hit.key.partition(":")[0], path=change.path, line=hit.line, message=hit.message)


def _methods(module: Module) -> Iterator[Hit]:
    """Comparison methods that always say the same, and those of subclasses of built-in values."""
    for name, function in module.functions.items():
        owner, _dot, last = name.rpartition(".")
        if (last in _COMPARISONS and _always(function) is True) or (last in _DENIALS and _always(function) is False):
            yield Hit("special-case-equality", line_of(function), f"{name} always gives the same answer, so that every assertion holds")
        elif last in ("__eq__", "__ne__") and owner in module.classes:
            bases = {module.name(base).rpartition(".")[2] for base in module.classes[owner].bases}
            if bases & _VALUES:
                yield Hit("special-case-equality", line_of(function), f"{name} redefines when a built-in value is equal to another")


def _always(function: Function) -> bool | None:
    """The one truth value that every way through returns; None where there is none."""
    returns = [node.value for node in walk_scope(function.body) if isinstance(node, ast.Return)]
    values = {node.value if isinstance(node, ast.Constant) and isinstance(node.value, bool) else None for node in returns}
    ends = statements(function.body)
    return values.pop() if len(values) == 1 and ends and isinstance(ends[-1], ast.Return) else None


def _bindings(module: Module) -> Iterator[Hit]:
    """Comparisons bound in other ways than by `def`: assigned in a class, handed to `type`, set as an attribute."""
    for node in module.nodes:
        for name, value in _bound(node):
            if name not in _COMPARISONS | _DENIALS or not isinstance(value, ast.Lambda):
                continue
            if isinstance(value.body, ast.Constant) and value.body.value is (name in _COMPARISONS):
                yield Hit("special-case-equality", line_of(value), f"{name} always gives the same answer, so that every assertion holds")


def _bound(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield (target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""), node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield (key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""), value
    elif isinstance(node, ast.Call):
        yield from ((keyword.arg or "", keyword.value) for keyword in node.keywords)
        if len(node.args) == 3 and isinstance(node.args[1], ast.Constant) and isinstance(node.args[1].value, str):
            yield node.args[1].value, node.args[2]


def _lookups(module: Module) -> Iterator[Hit]:
    """`__getattr__` that has an answer to every name without looking at it."""
    for name, function in module.functions.items():
        if name.rpartition(".")[2] not in _LOOKUPS or not function.args.args:
            continue
        asked = function.args.args[-1].arg
        reads = any(isinstance(node, ast.Name) and node.id == asked for inner in function.body for node in ast.walk(inner))
        refuses = any(isinstance(node, ast.Raise) for node in walk_scope(function.body))
        if not reads and not refuses:
            yield Hit("special-case-anything", line_of(function), f"{name} answers every name, so that nothing is missing any more")
