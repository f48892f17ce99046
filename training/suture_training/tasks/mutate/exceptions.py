"""Exceptions: another type caught or raised, a handler or a clean-up that is gone, an error that is swallowed."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from suture_training.tasks.mutate.code import Changes, Code

_OTHERS: Mapping[str, tuple[str, ...]] = {
    "KeyError": ("IndexError", "AttributeError"), "IndexError": ("KeyError",), "ValueError": ("TypeError", "KeyError"),
    "TypeError": ("ValueError",), "AttributeError": ("KeyError", "TypeError"), "LookupError": ("ValueError",), "OSError": ("ValueError",),
    "FileNotFoundError": ("PermissionError",), "ImportError": ("ValueError",), "ModuleNotFoundError": ("ValueError",),
    "StopIteration": ("StopAsyncIteration", "IndexError"), "ZeroDivisionError": ("ValueError",), "RuntimeError": ("ValueError",),
    "NotImplementedError": ("RuntimeError",), "UnicodeDecodeError": ("UnicodeEncodeError",), "Exception": ("ValueError",),
    "OverflowError": ("ValueError",), "AssertionError": ("ValueError",), "EOFError": ("OSError",), "TimeoutError": ("ValueError",),
}  # fmt: skip


def caught(code: Code) -> Changes:
    """A handler for another exception than the one that comes."""
    for handler in code.nodes(ast.ExceptHandler):
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type] if handler.type is not None else []
        names = {each.id for each in kinds if isinstance(each, ast.Name)}
        for kind in kinds:
            for other in _OTHERS.get(kind.id, ()) if isinstance(kind, ast.Name) else ():
                if other not in names:
                    yield code.swap(kind, other)
        if isinstance(handler.type, ast.Tuple) and len(kinds) > 1:
            for kind in kinds:
                yield code.swap(handler.type, code.source(kind))


def raised(code: Code) -> Changes:
    """Another exception than the one that callers expect."""
    for node in code.nodes(ast.Raise):
        kind = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        for other in _OTHERS.get(kind.id, ()) if isinstance(kind, ast.Name) else ():
            yield code.swap(kind, other)  # type: ignore[arg-type]  # a Name by the line above


def unhandled(code: Code) -> Changes:
    """`try` without its handlers: an exception goes through."""
    for node in code.nodes(ast.Try):
        whole = code.whole_lines(node)
        if whole is not None and node.handlers and not node.orelse and not node.finalbody and node.body[0].lineno > node.lineno:
            yield code.replace(*whole, code.moved_left(node.body, code.indent(node)))


def swallowed(code: Code) -> Changes:
    """A handler that says nothing instead of raising."""
    for handler in code.nodes(ast.ExceptHandler):
        last = handler.body[-1]
        if isinstance(last, ast.Raise) and (change := code.delete(last)) is not None:
            yield change


def missing_cleanup(code: Code) -> Changes:
    """`finally` that is gone."""
    for node in code.nodes(ast.Try):
        for last in node.finalbody[-1:]:
            if len(node.finalbody) == 1 and (change := code.delete(last)) is not None:
                yield change


def cause(code: Code) -> Changes:
    """An exception without the one that it came from."""
    for node in code.nodes(ast.Raise):
        if node.exc is not None and node.cause is not None:
            yield code.replace(code.span(node.exc)[1], code.span(node)[1], "")
