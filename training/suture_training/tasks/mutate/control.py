"""Conditions: turned round, half of one, a guard or a base case that is gone, a branch that is gone."""

from __future__ import annotations

import ast

from suture_training.tasks.mutate.code import Changes, Code, Function, without_docstring

_LEAVES = ast.Return | ast.Raise | ast.Continue | ast.Break


def negated(code: Code) -> Changes:
    """A condition the wrong way round."""
    branches: list[ast.If | ast.While | ast.IfExp] = [*code.nodes(ast.If), *code.nodes(ast.While), *code.nodes(ast.IfExp)]
    for node in branches:
        test = node.test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            continue  # `unary` leaves it out
        text = code.source(test)
        plain = isinstance(test, ast.Name | ast.Attribute | ast.Call | ast.Subscript)
        if not isinstance(test, ast.Compare) and not (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING"):
            yield code.swap(test, f"not {text}" if plain else f"not ({text})")
    for comprehension in code.nodes(ast.comprehension):
        for test in comprehension.ifs:
            if not isinstance(test, ast.UnaryOp | ast.Compare):
                yield code.swap(test, f"not ({code.source(test)})")


def halved(code: Code) -> Changes:
    """A condition of which one part is left out."""
    for node in code.nodes(ast.BoolOp):
        if len(node.values) == 2:
            for value in node.values:
                yield code.swap(node, code.source(value))
        else:
            for left, value in zip(node.values, node.values[1:], strict=False):
                yield code.replace(code.span(left)[1], code.span(value)[1], "")


def missing_guard(code: Code) -> Changes:
    """A check at which a function would have left or refused is gone."""
    for node in code.nodes(ast.If):
        if (
            not node.orelse
            and isinstance(node.body[-1], _LEAVES)
            and not _is_first(code, node)
            and (change := code.delete(node)) is not None
        ):
            yield change


def missing_base_case(code: Code) -> Changes:
    """What a function answers before anything else is gone: the base case of a recursion, an empty input."""
    for node in code.nodes(ast.If):
        if not node.orelse and isinstance(node.body[-1], _LEAVES) and _is_first(code, node) and (change := code.delete(node)) is not None:
            yield change


def unconditional(code: Code) -> Changes:
    """What was done under a condition is done always."""
    for node in code.nodes(ast.If):
        whole = code.whole_lines(node)
        if whole is None or node.orelse or isinstance(node.body[-1], _LEAVES) or node.body[0].lineno == node.lineno:
            continue
        if code.function(node) is not None:
            yield code.replace(*whole, code.moved_left(node.body, code.indent(node)))


def missing_branch(code: Code) -> Changes:
    """An `else` that is gone."""
    for node in code.nodes(ast.If):
        if not node.orelse or (len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If)):
            continue
        start, end = code.span(node.body[-1])[1], code.span(node.orelse[-1])[1]
        if (
            node.orelse[0].lineno > node.body[-1].lineno
            and code.text[start : code.span(node.orelse[0])[0]].split("#")[0].strip() == "else:"
        ):
            yield code.replace(start, end, "")


def once(code: Code) -> Changes:
    """`if` for `while`."""
    for node in code.nodes(ast.While):
        jumps = [each for each in ast.walk(node) if isinstance(each, ast.Break | ast.Continue)]
        if not jumps and not node.orelse:
            start = code.span(node)[0]
            yield code.replace(start, start + len("while"), "if")


def other_branch(code: Code) -> Changes:
    """`elif` that has become an `if` of its own."""
    for node in code.nodes(ast.If):
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            inner = node.orelse[0]
            start = code.span(inner)[0]
            if code.text[start : start + 4] == "elif" and not isinstance(node.body[-1], _LEAVES):
                yield code.replace(start, start + 4, "if")


def other_value(code: Code) -> Changes:
    """The two values of a conditional expression the wrong way round."""
    for node in code.nodes(ast.IfExp):
        body, other = code.source(node.body), code.source(node.orelse)
        if body != other:
            yield code.swap_all((node.body, other), (node.orelse, body))


def _is_first(code: Code, node: ast.If) -> bool:
    """Whether it is what its function begins with."""
    function = code.parents.get(node)
    return isinstance(function, Function) and node in without_docstring(function.body)[:1]
