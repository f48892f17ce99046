"""Another operator: comparison, arithmetic, boolean, bitwise, augmented, unary."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Mapping

from suture_training.tasks.mutate.code import Changes, Code

_COMPARE: Mapping[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">")), ast.LtE: ("<=", ("<",)), ast.Gt: (">", (">=", "<")), ast.GtE: (">=", (">",)),
    ast.Eq: ("==", ("!=",)), ast.NotEq: ("!=", ("==",)),
}  # fmt: skip
_MEMBERSHIP: Mapping[type[ast.cmpop], tuple[str, str]] = {
    ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"), ast.IsNot: ("is not", "is"),
}  # fmt: skip
_ARITHMETIC: Mapping[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-",)), ast.Sub: ("-", ("+",)), ast.Mult: ("*", ("/", "+")), ast.Div: ("/", ("//", "*")),
    ast.FloorDiv: ("//", ("/",)), ast.Mod: ("%", ("//",)), ast.Pow: ("**", ("*",)),
}  # fmt: skip
_BITWISE: Mapping[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.BitAnd: ("&", ("|",)), ast.BitOr: ("|", ("&", "^")), ast.BitXor: ("^", ("|",)),
    ast.LShift: ("<<", (">>",)), ast.RShift: (">>", ("<<",)),
}  # fmt: skip


def compare(code: Code) -> Changes:
    """A bound that is off, a comparison the wrong way round."""
    for node in code.nodes(ast.Compare):
        for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
            old, others = _COMPARE.get(type(operator), ("", ()))
            for new in others:
                if (change := code.between(left, right, old, new)) is not None:
                    yield change


def membership(code: Code) -> Changes:
    """`in`, `is` and their opposites."""
    for node in code.nodes(ast.Compare):
        for left, operator, right in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
            old, new = _MEMBERSHIP.get(type(operator), ("", ""))
            if old and (change := code.between(left, right, old, new)) is not None:
                yield change


def arithmetic(code: Code) -> Changes:
    """Another arithmetic operator."""
    yield from _binary(code, _ARITHMETIC)


def bitwise(code: Code) -> Changes:
    """Another bitwise operator."""
    yield from _binary(code, _BITWISE)


def _binary(code: Code, table: Mapping[type[ast.operator], tuple[str, tuple[str, ...]]]) -> Changes:
    for node in code.nodes(ast.BinOp):
        old, others = table.get(type(node.op), ("", ()))
        if isinstance(node.left, ast.Constant) and isinstance(node.left.value, str | bytes):
            continue  # text: `%` formats it, `+` joins it, nothing else works at all
        for new in others:
            if (change := code.between(node.left, node.right, old, new)) is not None:
                yield change


def operands(code: Code) -> Changes:
    """The operands of a subtraction, a division or a comparison the other way round."""
    for node in code.nodes(ast.BinOp):
        if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod | ast.Pow):
            left, right = code.source(node.left), code.source(node.right)
            plain = all(isinstance(each, ast.Name | ast.Attribute | ast.Constant | ast.Call) for each in (node.left, node.right))
            if plain and left != right:
                yield code.swap_all((node.left, right), (node.right, left))


def boolean(code: Code) -> Changes:
    """`and` for `or`, and the other way round."""
    for node in code.nodes(ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in itertools.pairwise(node.values):
            if (change := code.between(left, right, old, new)) is not None:
                yield change


def augmented(code: Code) -> Changes:
    """`-=` for `+=`, and an assignment for either."""
    for node in code.nodes(ast.AugAssign):
        old, others = _ARITHMETIC.get(type(node.op)) or _BITWISE.get(type(node.op)) or ("", ())
        for new in (*(f"{each}=" for each in others[:1]), "="):
            if old and (change := code.between(node.target, node.value, f"{old}=", new)) is not None:
                yield change


def unary(code: Code) -> Changes:
    """A `not`, a minus or a `~` that is left out."""
    for node in code.nodes(ast.UnaryOp):
        if not isinstance(node.op, ast.UAdd):
            yield code.swap(node, code.source(node.operand))
