"""Emptied code: functions, classes and files whose work is gone after the patch.

A rewrite may rename locals, inline helpers and merge conditions. What must stay is: that public names exist, and that a function still
reads its arguments. What was refused before must still be refused: see `validation`.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from suture_sandbox.guard.exceptions import is_fixed
from suture_sandbox.guard.problem import failing_text
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Change, Function, Hit, Module, added, changes, dump, line_of, statements, text_of, walk_scope
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot

_ANYTHING = frozenset({"Exception", "BaseException", "object", "type", "dict", "Any"})
_FREE_DECORATORS = frozenset(
    [
        "property",
        "staticmethod",
        "classmethod",
        "cached_property",
        "lru_cache",
        "cache",
        "coroutine",
        "contextmanager",
        "asynccontextmanager",
        "wraps",
        "dataclass",
        "override",
        "overload",
        "total_ordering",
        "setter",
        "getter",
        "deleter",
        "singledispatch",
        "singledispatchmethod",
        "final",
        "abstractmethod",
        "abstractproperty",
    ]
)


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:
    """Refuse code whose work is gone."""
    files = changes(patch)
    wanted = failing_text(snapshot, context) + "\n".join(finding.message for finding in context.findings)
    for edit in patch.edits:
        yield from _file(edit, files)
    for change in files:
        if not policy.allow_deletions:
            yield from _gone(change, files, wanted)
        for name, old, new in pairs(change):
            yield from _body(change, name, old, new)
            yield from _decorators(change, name, old, new)
        yield from _replaced(change)
    for change, hit in added(files, _dead):
        yield GuardFinding(rule=hit.key.partition(":")[0], path=change.path, line=hit.line, message=hit.message)


def pairs(change: Change) -> Iterator[tuple[str, Function, Function]]:
    """Functions that are there before and after: name, old, new."""
    if change.before is None or change.after is None:
        return
    for name, old in change.before.functions.items():
        new = change.after.functions.get(name) or change.after.functions.get(name.partition("@")[0])
        if new is not None:
            yield name, old, new


def _file(edit: FileEdit, files: Sequence[Change]) -> Iterator[GuardFinding]:
    """Files that are deleted or left empty, unless all that they define stands elsewhere in the patch."""
    old, new = text_of(edit.before).strip(), text_of(edit.after).strip()
    python = next((change for change in files if change.path == edit.path), None)
    if python is not None and python.before is not None:
        if not statements(python.before.tree.body) or (python.after is not None and statements(python.after.tree.body)):
            return
        if python.after is None and not python.deleted:
            return
        defined = {name for name in (*python.before.functions, *python.before.classes) if "." not in name and not name.startswith("_")}
        if defined and defined <= {name for change in files if change is not python for name in _bound(change.after)}:
            return
        yield GuardFinding(rule="emptied-file", path=edit.path, message=f"it {'deletes' if edit.after is None else 'empties'} {edit.path}")
    elif old and not new:
        yield GuardFinding(rule="emptied-file", path=edit.path, message=f"it {'deletes' if edit.after is None else 'empties'} {edit.path}")


def _bound(module: Module | None) -> frozenset[str]:
    """Names that exist at the top of a module: definitions, imports, assignments."""
    if module is None:
        return frozenset()
    stores = (node.id for node in walk_scope(module.tree.body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return frozenset((*module.functions, *module.classes, *module.imports, *stores))


def _gone(change: Change, files: Sequence[Change], wanted: str) -> Iterator[GuardFinding]:
    """Public functions, methods and classes that are no longer there."""
    if change.before is None or change.after is None:
        return
    here = _bound(change.after)
    elsewhere = {name.rpartition(".")[2] for other in files if other is not change for name in _bound(other.after)}
    fresh = set(here - _bound(change.before))
    for name in (*change.before.functions, *change.before.classes):
        plain = name.partition("@")[0]
        owner, _dot, last = plain.rpartition(".")
        private = last.startswith("_") and not last.endswith("__")
        if plain in here or "<locals>" in name or private or last in elsewhere or not _still_missing(change, name, owner, last):
            continue
        if _renamed(change, name, fresh, wanted):
            continue
        node = change.before.functions.get(name) or change.before.classes.get(name)
        kind = "class" if isinstance(node, ast.ClassDef) else "method" if owner else "function"
        yield GuardFinding(rule="emptied-deleted", path=change.path, message=f"it deletes the {kind} {plain}")


def _still_missing(change: Change, name: str, owner: str, last: str) -> bool:
    """Whether a name is gone and nothing stands in for it: a base class, a dataclass, an attribute of the class."""
    if not owner or change.after is None or change.before is None:
        return True
    cls = change.after.classes.get(owner)
    if cls is None:
        return owner in change.before.functions  # a class that is gone is named itself
    if cls.bases or (last == "__init__" and cls.decorator_list):
        return False
    names = {node.id for node in walk_scope(cls.body) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    attributes = {node.attr for node in ast.walk(cls) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    return last not in names | attributes and not (last in ("__eq__", "__repr__", "__hash__") and cls.decorator_list) and "@" not in name


def _renamed(change: Change, name: str, fresh: set[str], wanted: str) -> bool:
    """Whether the definition lives on under a new name that the failing tests, or the problem's message, ask for."""
    assert change.before is not None
    assert change.after is not None
    old = change.before.functions.get(name) or change.before.classes.get(name)
    for new_name in fresh:
        new = change.after.functions.get(new_name) or change.after.classes.get(new_name)
        last = new_name.rpartition(".")[2]
        if new is not None and type(new) is type(old) and re.search(rf"\b{re.escape(last)}\b", wanted):
            old_last = name.partition("@")[0].rpartition(".")[2]
            return not re.search(rf"\b{re.escape(old_last)}\b", wanted) or len(fresh) == 1
    return False


def _body(change: Change, name: str, old: Function, new: Function) -> Iterator[GuardFinding]:
    if _trivial(new) and not _trivial(old) and _works(old):
        said = "raises NotImplementedError" if _gives_up(new) else "does nothing but give a fixed value"
        message = f"{name} {said} now, where it did real work before"
        yield GuardFinding(rule="emptied-function", path=change.path, line=line_of(new), message=message)
        return
    used_before, used_after = _parameters_used(old), _parameters_used(new)
    if used_before and not used_after and _parameters(new) and not _is_abstract(new):
        message = f"{name} reads none of its arguments now, where it did before"
        yield GuardFinding(rule="emptied-arguments", path=change.path, line=line_of(new), message=message)
    elif _only_fixed(new) and not _only_fixed(old) and _works(old):
        message = f"{name} always gives the same fixed value now"
        yield GuardFinding(rule="emptied-function", path=change.path, line=line_of(new), message=message)


def _trivial(node: Function) -> bool:
    body = statements(node.body)
    if not body:
        return True
    return all(
        isinstance(each, ast.Pass)
        or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        or (isinstance(each, ast.Return) and is_fixed(each.value))
        or (isinstance(each, ast.Raise) and "NotImplemented" in dump(each))
        for each in body
    )


def _gives_up(node: Function) -> bool:
    return any(isinstance(each, ast.Raise) for each in statements(node.body))


def _is_abstract(node: Function) -> bool:
    return any("abstract" in dump(decorator) or "overload" in dump(decorator) for decorator in node.decorator_list)


def _works(node: Function) -> bool:
    body = statements(node.body)
    reads = any(isinstance(inner, ast.Name | ast.Call | ast.Attribute) for each in body for inner in ast.walk(each))
    return reads and not all(isinstance(each, ast.Raise) for each in body)


def _parameters(node: Function) -> frozenset[str]:
    arguments = node.args
    extra = [each for each in (arguments.vararg, arguments.kwarg) if each]
    return frozenset(each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra))


def _parameters_used(node: Function) -> frozenset[str]:
    """Parameters that are read for more than being thrown away."""
    thrown: set[int] = set()
    read: set[str] = set()
    for each in (inner for statement in node.body for inner in ast.walk(statement)):
        if (isinstance(each, ast.Expr) and isinstance(each.value, ast.Name)) or (
            isinstance(each, ast.Assign) and all(isinstance(target, ast.Name) and target.id.startswith("_") for target in each.targets)
        ):
            thrown |= {id(inner) for inner in ast.walk(each.value)} if isinstance(each.value, ast.Name | ast.Tuple) else set()
        elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load) and id(each) not in thrown:
            read.add(each.id)
        elif isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in ("super", "locals", "vars"):
            read |= _parameters(node)
    return frozenset(read) & _parameters(node)


def _only_fixed(node: Function) -> bool:
    """Whether every way through gives the same literal."""
    returns = [each for each in walk_scope(node.body) if isinstance(each, ast.Return)]
    values = {dump(each.value) for each in returns if each.value is not None}
    fixed = bool(returns) and len(values) == 1 and all(each.value is not None and is_fixed(each.value) for each in returns)
    effects = any(isinstance(each, ast.Yield | ast.YieldFrom | ast.Raise | ast.Await | ast.Delete) for each in walk_scope(node.body))
    stores = any(isinstance(each, ast.Attribute | ast.Subscript) and isinstance(each.ctx, ast.Store) for each in walk_scope(node.body))
    calls = any(isinstance(each, ast.Expr) and isinstance(each.value, ast.Call) for each in walk_scope(node.body))
    return fixed and not effects and not stores and not calls


def _decorators(change: Change, name: str, old: Function, new: Function) -> Iterator[GuardFinding]:
    before, after = [last_name(node) for node in old.decorator_list], [last_name(node) for node in new.decorator_list]
    gone = (Counter(before) - Counter(after)).keys() - _FREE_DECORATORS
    if gone and len(after) < len(before):
        yield GuardFinding(
            rule="emptied-decorator", path=change.path, line=line_of(new), message=f"it takes the decorator {min(gone)} away from {name}"
        )


def last_name(node: ast.expr) -> str:
    """The last part of the name of what is called or referred to; empty where there is none."""
    while isinstance(node, ast.Call):
        node = node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _replaced(change: Change) -> Iterator[GuardFinding]:
    """Definitions that a later assignment, or a second definition, puts out of work."""
    if change.before is None or change.after is None:
        return
    known = {dump(node) for node in change.before.tree.body if isinstance(node, ast.Assign)}
    for node in change.after.tree.body:
        if not isinstance(node, ast.Assign) or dump(node) in known:
            continue
        for target in node.targets:
            name = target.id if isinstance(target, ast.Name) else ""
            if name in change.before.functions and isinstance(node.value, ast.Lambda | ast.Constant):
                message = f"it replaces the function {name} by a fixed thing"
                yield GuardFinding(rule="emptied-function", path=change.path, line=line_of(node), message=message)
            elif name in change.before.classes and _is_anything(node.value):
                message = f"it replaces the class {name} by something that stands for anything"
                yield GuardFinding(rule="emptied-class", path=change.path, line=line_of(node), message=message)


def _is_anything(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant | ast.Lambda) or (isinstance(value, ast.Name) and value.id in _ANYTHING)


def _dead(module: Module) -> Iterator[Hit]:
    """Code that can never run, and conditions that are always the same."""
    for node in module.nodes:
        if isinstance(node, ast.stmt | ast.Module | ast.ExceptHandler):
            for block in _blocks(node):
                yield from _unreachable(block)
        if isinstance(node, ast.If | ast.IfExp | ast.While) and is_always(node.test) is not None:
            if isinstance(node, ast.While) and is_always(node.test) and not _returns_at_once(node):
                continue
            yield Hit(
                "emptied-unreachable:condition", line_of(node), "it adds a condition that is always the same, so that code never runs"
            )


def _blocks(node: ast.AST) -> list[list[ast.stmt]]:
    found: list[list[ast.stmt]] = [getattr(node, field, []) for field in ("body", "orelse", "finalbody")]
    return found


def _returns_at_once(node: ast.While) -> bool:
    return isinstance(node.body[0], ast.Return | ast.Break)


def _unreachable(block: Sequence[ast.stmt]) -> Iterator[Hit]:
    for index, (node, following) in enumerate(itertools.pairwise(block)):
        if isinstance(node, ast.Return | ast.Raise | ast.Continue | ast.Break) and not _marks_generator(following):
            if index + 2 == len(block) and isinstance(following, ast.Return | ast.Pass | ast.Raise | ast.Break | ast.Continue):
                continue  # one more way out at the end is untidy, and hides nothing
            yield Hit("emptied-unreachable:after", line_of(following), "it leaves code behind that can never run")
            return


def _marks_generator(node: ast.AST) -> bool:
    """`return; yield` is how an empty generator is written."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield)


def is_always(node: ast.expr) -> bool | None:
    """The value of a condition that does not depend on anything; None where it does."""
    if isinstance(node, ast.Constant):
        return bool(node.value)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        inner = is_always(node.operand)
        return None if inner is None else not inner
    if isinstance(node, ast.BoolOp):
        values = [is_always(value) for value in node.values]
        deciding = isinstance(node.op, ast.Or)
        if deciding in values:
            return deciding
        return None if None in values else not deciding
    if (
        isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Constant)
        and all(isinstance(each, ast.Constant) for each in node.comparators)
    ):
        return True
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return True if _holds(node.left, node.ops[0], node.comparators[0]) else None
    return None


def _holds(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> bool:
    """Whether a comparison holds for anything: of a name with itself, of a length with zero."""
    if isinstance(left, ast.Name | ast.Attribute) and isinstance(operator, ast.Is | ast.LtE | ast.GtE):
        return dump(left) == dump(right)
    counts = isinstance(left, ast.Call) and isinstance(left.func, ast.Name) and left.func.id in ("len", "abs")
    zero = isinstance(right, ast.Constant) and right.value == 0 and isinstance(right.value, int)
    return counts and zero and isinstance(operator, ast.GtE)
