"""A statement that is missing, there twice, or in the wrong order; a `return` that is forgotten."""

from __future__ import annotations

import ast
import itertools

from suture_training.tasks.mutate.code import Change, Changes, Code, is_docstring

_SIMPLE = ast.Assign | ast.AugAssign | ast.Expr | ast.Delete | ast.Assert


def dropped(code: Code) -> Changes:
    """A statement that is left out."""
    for kind in (ast.Assign, ast.AugAssign, ast.Expr, ast.Delete, ast.AnnAssign):
        for node in code.nodes(kind):
            if not is_docstring(node) and code.function(node) is not None and (change := code.delete(node)) is not None:
                yield change


def duplicated(code: Code) -> Changes:
    """A statement that is there twice."""
    for kind in (ast.AugAssign, ast.Expr):
        for node in code.nodes(kind):
            if not is_docstring(node) and code.function(node) is not None and (change := code.duplicate(node)) is not None:
                yield change


def reordered(code: Code) -> Changes:
    """Two statements in the wrong order."""
    for body in code.bodies():
        for first, second in itertools.pairwise(body):
            if not isinstance(first, _SIMPLE) or not isinstance(second, _SIMPLE) or is_docstring(first) or code.function(first) is None:
                continue
            place, other = code.whole_lines(first), code.whole_lines(second)
            if place is None or other is None or place[1] > other[0] or not code.text[: other[1]].endswith(("\n", "\r")):
                continue
            text, moved = code.text[slice(*place)], code.text[slice(*other)]
            if text != moved:
                yield Change(((*place, moved), (*other, text)))


def missing_return(code: Code) -> Changes:
    """A function that computes its answer and does not give it back."""
    for node in code.nodes(ast.Return):
        if isinstance(node.value, ast.Call | ast.Await):
            start = code.span(node)[0]
            yield code.replace(start, code.span(node.value)[0], "")
        elif node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield code.swap(node, "return")


def returned_early(code: Code) -> Changes:
    """A `return` behind a loop that has moved into it."""
    for body in code.bodies():
        for loop, leave in itertools.pairwise(body):
            if isinstance(loop, ast.For | ast.While) and isinstance(leave, ast.Return) and not loop.orelse:
                place = code.whole_lines(leave)
                if place is not None and code.text[: place[1]].endswith(("\n", "\r")) and code.indent(loop.body[0]) != code.indent(leave):
                    text = code.text[place[0] : place[1]]
                    yield Change(((*place, code.indent(loop.body[0]) + text.lstrip(" \t")),))


def other_jump(code: Code) -> Changes:
    """`break` for `continue`, and the other way round."""
    for leave in code.nodes(ast.Break):
        yield code.swap(leave, "continue")
    for again in code.nodes(ast.Continue):
        yield code.swap(again, "break")


def missing_jump(code: Code) -> Changes:
    """A `break` or a `continue` that is left out."""
    jumps: list[ast.stmt] = [*code.nodes(ast.Break), *code.nodes(ast.Continue)]
    for node in jumps:
        if (change := code.delete(node)) is not None:
            yield change


def yielded(code: Code) -> Changes:
    """`yield` for `yield from`, and the other way round."""
    for node in code.nodes(ast.YieldFrom):
        yield code.swap(node, f"yield {code.source(node.value)}")
    for once in code.nodes(ast.Yield):
        if isinstance(once.value, ast.Name | ast.Call) and not isinstance(code.function(once), ast.AsyncFunctionDef):
            yield code.swap(once, f"yield from {code.source(once.value)}")
