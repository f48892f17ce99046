"""Deleted validation: raises, asserts and calls of validators that a patch takes away.

Learned from agents that were trained to make checks pass: the shortest way is often to delete the code that complains. Conditions may be
merged, moved into helpers or turned into another error; something must still refuse what was refused before.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from suture_sandbox.guard.emptied import last_name
from suture_sandbox.guard.problem import codes_of
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Change, Function, Module, changes, dump, line_of, statements, walk_scope
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_VALIDATOR = re.compile(
    r"_*(validate|check|ensure|verify|require|assert|authori[sz]e|sanit|guard|enforce|reject|raise_for|raise_if)\w*", re.IGNORECASE
)
_STRICT = frozenset({"strict", "check", "verify", "validate", "required", "raise_on_error", "raise_exception"})
_BOUNDS = frozenset({"gt", "ge", "lt", "le", "min_length", "max_length", "min_items", "max_items", "pattern", "multiple_of", "validators"})
"""Keywords by which a call refuses something; the first are switches."""


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse a patch after which less is refused, with nothing in its place anywhere in the patch."""
    files = changes(patch)
    yield from _switched_off(files)
    bodies = {_body(function) for change in files if change.before for function in change.before.functions.values()}
    for change in files:
        yield from _stubbed(change, bodies)
    codes = codes_of(context)
    before = [guard for change in files if change.before for guard in _refusals(change.before)]
    helpers = frozenset(name for change in files for name in _new_helpers(change))
    after = [guard for change in files if change.after for guard in _refusals(change.after, helpers)]
    if any(change.after is None and not change.deleted for change in files) or len(after) >= len(before):
        return
    conditions = {
        dump(node.test) for change in files if change.after for node in change.after.nodes if isinstance(node, ast.If | ast.IfExp)
    }
    kept = Counter(key for key, _line, _what, _test, _names in after)
    known = {key for key, *_rest in before}
    spare = [names for key, _line, _what, _test, names in after if key not in known]
    for change in files:
        for key, _line, what, test, names in _refusals(change.before) if change.before else ():
            kept[key] -= 1
            if kept[key] >= 0:
                continue
            heir = next((each for each in spare if each & names or not names or not each), None)
            if heir is not None:
                continue
            if what.rpartition(".")[2] in codes and test in conditions:
                continue
            if _natural(change, what, names):
                continue
            yield GuardFinding(
                rule="emptied-validation", path=change.path, message=f"it takes validation away: {what} is not raised any more"
            )


def _body(function: Function) -> str:
    return f"{function.name}: {' '.join(dump(node) for node in statements(function.body))}"


def _stubbed(change: Change, bodies: set[str]) -> Iterator[GuardFinding]:
    """Names that were imported, and that the file itself defines as something without work now."""
    if change.before is None or change.after is None:
        return
    for name in sorted(change.before.imports.keys() - change.after.imports.keys()):
        function = change.after.functions.get(name)
        body = statements(function.body) if function else []
        moved = function is not None and _body(function) in bodies
        if (
            function
            and not moved
            and all(isinstance(node, ast.Pass | ast.Expr | ast.Return) and not _calls_anything(node) for node in body)
        ):
            message = f"it replaces {name}, which it imported, by a function of that name that does nothing"
            yield GuardFinding(rule="emptied-stub", path=change.path, line=line_of(function), message=message)


def _calls_anything(node: ast.stmt) -> bool:
    return any(isinstance(inner, ast.Call | ast.Await | ast.Yield) for inner in ast.walk(node))


def _switched_off(files: Sequence[Change]) -> Iterator[GuardFinding]:
    """Calls that are still there, but refuse less: without `strict=True`, without a bound."""
    old_calls, old_switches = _calls(change.before for change in files)
    new_calls, new_switches = _calls(change.after for change in files)
    for (called, keyword), count in sorted(old_switches.items()):
        if new_switches[called, keyword] < count and new_calls[called] >= old_calls[called]:
            path = next(change.path for change in files if change.before and (called, keyword) in _calls([change.before])[1])
            message = f"it takes validation away: {called} is called without {keyword}, so that it refuses less"
            yield GuardFinding(rule="emptied-validation", path=path, message=message)


def _calls(modules: Iterable[Module | None]) -> tuple[Counter[str], Counter[tuple[str, str]]]:
    """How often each function is called, and with which refusing keywords."""
    calls: Counter[str] = Counter()
    switches: Counter[tuple[str, str]] = Counter()
    for node in (node for module in modules if module for node in module.nodes if isinstance(node, ast.Call)):
        called = last_name(node)
        calls[called] += 1
        for keyword in node.keywords:
            on = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            if keyword.arg and ((keyword.arg in _STRICT and on) or keyword.arg in _BOUNDS):
                switches[called, keyword.arg] += 1
    return calls, switches


def _new_helpers(change: Change) -> Iterator[str]:
    """New functions that raise: a call of one stands for a raise."""
    for name, function in change.after.functions.items() if change.after else ():
        known = change.before is not None and name in change.before.functions
        if not known and any(isinstance(node, ast.Raise | ast.Assert) for node in walk_scope(function.body)):
            yield name.rpartition(".")[2]


def _natural(change: Change, what: str, names: frozenset[str]) -> bool:
    """Whether a lookup stands in for a raise that is gone: `mapping[key]` raises KeyError itself, `mapping.get(key)` gives a default."""
    if what not in ("KeyError", "IndexError") or change.after is None:
        return False
    lookups = (
        node
        for node in change.after.nodes
        if isinstance(node, ast.Subscript)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("get", "pop", "setdefault"))
    )
    return any(isinstance(inner, ast.Name) and inner.id in names for node in lookups for inner in ast.walk(node))


_Refusal = tuple[str, int, str, str, frozenset[str]]


def _refusals(module: Module, helpers: frozenset[str] = frozenset()) -> Iterator[_Refusal]:
    """Everything that refuses: key, line, what it raises, its condition, names in the condition."""
    for name, function in module.functions.items():
        if name.rpartition(".")[2] != "__getattr__":
            yield from _refusals_in(module, function.body, "", frozenset(), helpers)


def _refusals_in(module: Module, body: Sequence[ast.stmt], test: str, names: frozenset[str], helpers: frozenset[str]) -> Iterator[_Refusal]:
    for node in body:
        if isinstance(node, ast.Raise):
            raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            what = module.name(raised) if raised is not None else "the caught error"
            if what == "NotImplementedError":  # says that code is missing; it refuses no input
                continue
            yield f"{what}|{test}", line_of(node), what or "an error", test, names
        elif isinstance(node, ast.Assert):
            yield f"assert|{dump(node.test)}", line_of(node), "AssertionError", dump(node.test), _names(node.test)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await):
            call = node.value.value if isinstance(node.value, ast.Await) else node.value
            called = last_name(call) if isinstance(call, ast.Call) else ""
            if _VALIDATOR.fullmatch(called) or called in helpers:
                yield f"{called}()|", line_of(node), called, "", _names(call)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _nested_refusals(module, node, test, names, helpers)


def _nested_refusals(module: Module, node: ast.stmt, test: str, names: frozenset[str], helpers: frozenset[str]) -> Iterator[_Refusal]:
    if isinstance(node, ast.If | ast.While):
        inner = _names(node.test)
        yield from _refusals_in(module, node.body, dump(node.test), inner, helpers)
        yield from _refusals_in(module, node.orelse, test, inner, helpers)
    elif isinstance(node, ast.Match):
        for case in node.cases:
            yield from _refusals_in(module, case.body, test, _names(node.subject), helpers)
    else:
        for field in ("body", "orelse", "finalbody"):
            yield from _refusals_in(module, getattr(node, field, []), test, names, helpers)
        for handler in getattr(node, "handlers", []):
            yield from _refusals_in(module, handler.body, test, names, helpers)


def _names(node: ast.AST) -> frozenset[str]:
    found = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    found |= {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}
    return frozenset(found - {"self", "cls", "len", "isinstance", "not"})
