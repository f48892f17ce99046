"""Swallowed exceptions: handlers that hide a failure instead of preventing it.

A narrow handler that translates an error, or that gives the default which a function's contract asks for, is how Python is written and
passes. What is refused: new handlers of everything that neither raise again nor use the error; handlers of errors that are always a
mistake in the code; and narrow handlers around much of what was there before.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import msgspec

from suture_sandbox.guard.problem import codes_of
from suture_sandbox.guard.records import GuardContext, GuardFinding, GuardPolicy
from suture_sandbox.guard.source import Change, Hit, Module, added, changes, line_of, statements, walk_scope
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

_BROAD = frozenset({"", "Exception", "BaseException", "builtins.Exception", "builtins.BaseException", "StandardError"})
_MISTAKES = frozenset({"AssertionError", "NameError", "UnboundLocalError", "RecursionError", "SyntaxError", "SystemError", "MemoryError"})
_DOUBTFUL = frozenset({"TypeError", "AttributeError", "RuntimeError", "LookupError", "ArithmeticError", "NotImplementedError"})
_SMALL, _SMALL_DOUBTFUL = 6, 2
"""Statements under a narrow handler that a careful person would write; two more where it gives a value instead of passing."""
_LOGGING = frozenset(
    {"print", "debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print_exc", "format_exc", "write"}
)


class _Handler(msgspec.Struct, frozen=True):
    types: tuple[str, ...]
    body: Sequence[ast.stmt]
    guarded: Sequence[ast.stmt]
    bound: str
    line: int
    suppress: bool = False

    @property
    def broad(self) -> bool:
        return any(name in _BROAD for name in self.types)


def check(patch: Patch, snapshot: Snapshot, context: GuardContext, policy: GuardPolicy) -> Iterator[GuardFinding]:  # noqa: ARG001  # a rule's shape
    """Refuse new handlers that hide failures."""
    files = changes(patch)
    codes = codes_of(context)
    fewer = _swallowing(files, old=True) >= _swallowing(files, old=False)
    for change, hit in added(files, lambda module: _hidden(module, codes)):
        rule = hit.key.partition(":")[0]
        if rule == "exceptions-narrow" and fewer:
            continue
        yield GuardFinding(rule=rule, path=change.path, line=hit.line, message=hit.message)
    for change, hit in added(files, _quiet_ends):
        yield GuardFinding(rule=hit.key.partition(":")[0], path=change.path, line=hit.line, message=hit.message)


def _swallowing(files: Sequence[Change], *, old: bool) -> int:
    modules = [change.before if old else change.after for change in files]
    return sum(not _raises(handler.body) for module in modules if module for handler in _handlers(module))


def _hidden(module: Module, codes: frozenset[str]) -> Iterator[Hit]:
    for handler in _handlers(module):
        if _raises(handler.body):
            continue
        names = ", ".join(handler.types) or "everything"
        short = {name.rpartition(".")[2] for name in handler.types}
        if handler.broad:
            if not _uses(handler):
                key = "exceptions-broad:" + ("all" if "" in handler.types else names)
                yield Hit(key, handler.line, f"it catches {names if names != '' else 'everything'} and goes on, which hides every failure")
        elif short & _MISTAKES:
            yield Hit(f"exceptions-mistake:{names}", handler.line, f"it catches {names}, which hides a mistake in the code")
        elif short <= _DOUBTFUL and short & codes and _dull(handler) and not _declines(handler):
            yield Hit(f"exceptions-mistake:{names}", handler.line, f"it catches {names}, the very failure, instead of mending its cause")
        elif _dull(handler) and _size(handler.guarded) > (_SMALL_DOUBTFUL if short <= _DOUBTFUL else _SMALL) + 2 * (not _silent(handler)):
            yield Hit(f"exceptions-narrow:{names}", handler.line, f"it wraps much code into a handler of {names} that gives a default")


def _handlers(module: Module) -> Iterator[_Handler]:
    for node in module.nodes:
        if isinstance(node, ast.Try | ast.TryStar):
            for handler in node.handlers:
                yield _Handler(_types(module, handler.type), handler.body, node.body, handler.name or "", line_of(handler))
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and module.name(call.func) in ("contextlib.suppress", "suppress"):
                    types = tuple(name for arg in call.args for name in _types(module, arg))
                    yield _Handler(types, (), node.body, "", line_of(node), suppress=True)


def _types(module: Module, node: ast.expr | None) -> tuple[str, ...]:
    if node is None:
        return ("",)
    if isinstance(node, ast.Tuple):
        return tuple(sorted(name for element in node.elts for name in _types(module, element)))
    return (module.name(node).removeprefix("builtins.") or "?",)


def _raises(body: Sequence[ast.stmt]) -> bool:
    """Whether a raise can be reached: one under `if False` cannot."""
    stack: list[ast.AST] = list(body)
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Raise):
            return True
        if isinstance(node, ast.If | ast.While) and isinstance(node.test, ast.Constant) and not node.test.value:
            stack += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))
    return False


def _uses(handler: _Handler) -> bool:
    """Whether the caught error goes somewhere else than into a log."""
    if not handler.bound:
        return False
    logged: set[int] = set()
    for node in walk_scope(handler.body):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
            if name in _LOGGING:
                logged |= {id(inner) for inner in ast.walk(node)}
        elif isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) and target.id == "_" for target in node.targets):
            logged |= {id(inner) for inner in ast.walk(node)}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Name):
            logged.add(id(node.value))
    return any(isinstance(node, ast.Name) and node.id == handler.bound and id(node) not in logged for node in walk_scope(handler.body))


def _declines(handler: _Handler) -> bool:
    last = handler.body[-1] if handler.body else None
    return isinstance(last, ast.Return) and isinstance(last.value, ast.Name) and last.value.id == "NotImplemented"


def _silent(handler: _Handler) -> bool:
    return handler.suppress or all(isinstance(node, ast.Pass) for node in handler.body)


def _dull(handler: _Handler) -> bool:
    """Whether the handler only passes, or gives a fixed value."""
    return all(isinstance(node, ast.Pass | ast.Break) or (isinstance(node, ast.Return) and is_fixed(node.value)) for node in handler.body)


def is_fixed(node: ast.AST | None) -> bool:
    """Whether an expression is a literal, or a collection of literals."""
    if node is None or isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp):
        return is_fixed(node.operand)
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return all(is_fixed(element) for element in node.elts)
    if isinstance(node, ast.Dict):
        return all(is_fixed(element) for element in (*node.keys, *node.values))
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and all(is_fixed(arg) for arg in node.args) and not node.keywords and node.func.id in _PLAIN
    return False


_PLAIN = frozenset({"int", "float", "str", "bool", "list", "tuple", "dict", "set", "frozenset", "bytes", "Decimal", "Fraction", "complex"})


def _size(body: Sequence[ast.stmt]) -> int:
    return sum(isinstance(node, ast.stmt) for statement in body for node in ast.walk(statement))


def _quiet_ends(module: Module) -> Iterator[Hit]:
    for node in module.nodes:
        if isinstance(node, ast.Try | ast.TryStar):
            for inner in walk_scope(node.finalbody):
                if isinstance(inner, ast.Return):
                    yield Hit("exceptions-finally", line_of(inner), "it returns in a finally block, which throws every exception away")
        elif isinstance(node, ast.Call) and _ignores_loop(node):
            yield Hit("exceptions-handler", line_of(node), "it sends the errors of the event loop nowhere")
    yield from _gathered(module)
    for name, function in module.functions.items():
        if name.rpartition(".")[2] in ("__exit__", "__aexit__"):
            body = statements(function.body)
            last = body[-1] if body else None
            if isinstance(last, ast.Return) and isinstance(last.value, ast.Constant) and last.value.value:
                yield Hit("exceptions-exit", line_of(last), f"{name} says that every exception is dealt with, which hides failures")


def _ignores_loop(call: ast.Call) -> bool:
    named = isinstance(call.func, ast.Attribute) and call.func.attr == "set_exception_handler"
    return named and any(isinstance(arg, ast.Lambda) and is_fixed(arg.body) for arg in call.args)


def _gathered(module: Module) -> Iterator[Hit]:
    """`return_exceptions=True` where the results are thrown away, or only those kept that are no exceptions."""
    for function in module.functions.values():
        nodes = list(walk_scope(function.body))
        asked = [node for node in nodes if isinstance(node, ast.Call) and any(map(_returns_exceptions, node.keywords))]
        if not asked or any(isinstance(node, ast.Raise) for node in nodes):
            continue
        awaited = (node.value.value for node in nodes if isinstance(node, ast.Expr) and isinstance(node.value, ast.Await))
        thrown = {id(value) for value in awaited}
        tested = {id(node): node for node in nodes if isinstance(node, ast.Call) and module.name(node.func) == "isinstance"}
        denied = {id(node.operand) for node in nodes if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)}
        if any(id(call) in thrown for call in asked) or (tested and tested.keys() <= denied):
            yield Hit("exceptions-gathered", line_of(asked[0]), "it gathers exceptions as results and drops them")


def _returns_exceptions(keyword: ast.keyword) -> bool:
    return keyword.arg == "return_exceptions" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
