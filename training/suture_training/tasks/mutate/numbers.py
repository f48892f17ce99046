"""Off by one, or by a constant: numbers, truth values, bounds of ranges and slices, indices, lengths, starts of a count."""

from __future__ import annotations

import ast

from suture_training.tasks.mutate.code import Changes, Code, Placed

_LARGEST = 10**6


def constants(code: Code) -> Changes:
    """A number off by one."""
    for node in code.nodes(ast.Constant):
        value = node.value
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST and not _is_bound(code, node):
            yield code.swap(node, str(value + 1))
            if value > 0:
                yield code.swap(node, str(value - 1))


def truth(code: Code) -> Changes:
    """A switch the wrong way."""
    for node in code.nodes(ast.Constant):
        if isinstance(node.value, bool):
            yield code.swap(node, str(not node.value))


def ranges(code: Code) -> Changes:
    """A range that begins or ends one too early or too late."""
    for node in code.nodes(ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "range" and node.args and not node.keywords:
            last = node.args[0] if len(node.args) == 1 else node.args[1]
            yield from _one_off(code, last)
            if len(node.args) == 1:
                yield code.swap(node.args[0], f"1, {code.source(node.args[0])}")
            else:
                yield from _one_off(code, node.args[0])


def slices(code: Code) -> Changes:
    """A slice that begins or ends one off, or without one of its bounds."""
    for node in code.nodes(ast.Slice):
        for bound in (node.lower, node.upper):
            if bound is not None:
                yield from _one_off(code, bound)
        if node.lower is not None and node.upper is not None:
            yield code.swap(node.lower, "")
            yield code.swap(node.upper, "")
        if isinstance(node.step, ast.UnaryOp) and isinstance(node.step.op, ast.USub):
            yield code.swap(node.step, code.source(node.step.operand))


def indices(code: Code) -> Changes:
    """The element beside the right one."""
    for node in code.nodes(ast.Subscript):
        if not isinstance(node.ctx, ast.Load):
            continue
        place = node.slice
        if isinstance(place, ast.Constant) and isinstance(place.value, int) and not isinstance(place.value, bool):
            yield code.swap(place, str(place.value + 1))
            if place.value == 0:
                yield code.swap(place, "-1")
        elif isinstance(place, ast.UnaryOp) and isinstance(place.op, ast.USub) and isinstance(place.operand, ast.Constant):
            yield code.swap(place, "0")
        elif isinstance(place, ast.BinOp) and isinstance(place.op, ast.Add | ast.Sub):
            yield code.swap(place, code.source(place.left))


def lengths(code: Code) -> Changes:
    """A length that is one off, where it is compared or computed with."""
    for node in code.nodes(ast.Call):
        if (
            isinstance(node.func, ast.Name)
            and node.func.id == "len"
            and isinstance(code.parents.get(node), ast.Compare | ast.BinOp | ast.Return)
        ):
            yield code.swap(node, f"({code.source(node)} - 1)")
            yield code.swap(node, f"({code.source(node)} + 1)")


def counted_from(code: Code) -> Changes:
    """`enumerate` from another start, `sum` and `dict.get` with another beginning."""
    for node in code.nodes(ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name == "enumerate" and len(node.args) == 1 and not node.keywords:
            yield code.swap(node.args[0], f"{code.source(node.args[0])}, 1")
        elif name == "enumerate" and len(node.args) + len(node.keywords) == 2:
            yield code.swap(node, f"enumerate({code.source(node.args[0])})")
        elif name == "split" and len(node.args) == 2:
            yield from _one_off(code, node.args[1])


def _one_off(code: Code, node: ast.expr) -> Changes:
    """A bound one more or one less, written as a person would."""
    text = code.source(node)
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield code.swap(node, str(node.value + 1))
        if node.value > 0:
            yield code.swap(node, str(node.value - 1))
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and isinstance(node.right, ast.Constant):
        yield code.swap(node, code.source(node.left))
    elif isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript):
        yield code.swap(node, f"{text} - 1")
        yield code.swap(node, f"{text} + 1")


def _is_bound(code: Code, node: Placed) -> bool:
    """Whether a number is an index or a bound, which other operators change, or counts nothing."""
    above = code.parents.get(node)
    while isinstance(above, ast.UnaryOp | ast.BinOp):
        above = code.parents.get(above)
    called = isinstance(above, ast.Call) and isinstance(above.func, ast.Name) and above.func.id == "range"
    return called or isinstance(above, ast.Slice | ast.Subscript)
