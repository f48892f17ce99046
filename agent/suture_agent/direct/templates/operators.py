"""A wrong operator, number or bound."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence

from suture_agent.direct.templates.scene import Found, Scene, nodes

_COMPARE: Mapping[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"), ast.LtE: ("<", ">="), ast.Gt: (">=", "<"), ast.GtE: (">", "<="), ast.Eq: ("!=",), ast.NotEq: ("==",),
    ast.In: ("not in",), ast.NotIn: ("in",), ast.Is: ("is not",), ast.IsNot: ("is",),
}  # fmt: skip
_SYMBOLS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in", ast.Is: "is",
    ast.IsNot: "is not",
}  # fmt: skip
_ARITHMETIC: Mapping[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-",)), ast.Sub: ("-", ("+",)), ast.Mult: ("*", ("/", "+", "**")), ast.Div: ("/", ("//", "*")),
    ast.FloorDiv: ("//", ("/", "%")), ast.Mod: ("%", ("//",)), ast.Pow: ("**", ("*",)),
}  # fmt: skip


def compare(scene: Scene) -> Found:
    """Another comparison; a bound that is off by one."""
    for node in nodes(scene, ast.Compare):
        if len(node.ops) != 1:
            continue
        left, right = scene.text(node.left), scene.text(node.comparators[0])
        for symbol in _COMPARE[type(node.ops[0])]:
            yield scene.swap(node, f"{left} {symbol} {right}"), node.lineno - 1, 1.0 if symbol in ("<=", ">=", "<", ">") else 0.8
        symbol = _SYMBOLS[type(node.ops[0])]
        if isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            yield scene.swap(node, f"{left} {symbol} {right} + 1"), node.lineno - 1, 0.5
            yield scene.swap(node, f"{left} {symbol} {right} - 1"), node.lineno - 1, 0.5


def arithmetic(scene: Scene) -> Found:
    """Another operator, the operands the other way round, a quotient rounded up. What must be whole is not made a fraction."""
    whole = _whole(scene)
    for node in nodes(scene, ast.BinOp):
        known = _ARITHMETIC.get(type(node.op))
        if known is None:
            continue
        left, right = scene.text(node.left), scene.text(node.right)
        for symbol in (each for each in known[1] if each != "/" or node not in whole):
            yield scene.swap(node, f"{left} {symbol} {right}"), node.lineno - 1, 0.8
        if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod):
            yield scene.swap(node, f"{right} {known[0]} {left}"), node.lineno - 1, 0.5
        if isinstance(node.op, ast.FloorDiv):
            yield scene.swap(node, f"-(-{left} // {right})"), node.lineno - 1, 0.6
    for step in nodes(scene, ast.AugAssign):
        known = _ARITHMETIC.get(type(step.op))
        target, value = scene.text(step.target), scene.text(step.value)
        for symbol in known[1] if known else ():
            yield scene.swap(step, f"{target} {symbol}= {value}"), step.lineno - 1, 0.7
        yield scene.swap(step, f"{target} = {value}"), step.lineno - 1, 0.4


def _whole(scene: Scene) -> set[ast.AST]:
    """What is in an index, a slice or the arguments of `range`: a fraction there is a TypeError, which some code takes for an answer."""
    ranges = [call for call in nodes(scene, ast.Call) if isinstance(call.func, ast.Name) and call.func.id == "range"]
    homes = [*(each.slice for each in nodes(scene, ast.Subscript)), *(value for call in ranges for value in call.args)]
    return {node for home in homes for node in ast.walk(home)}


def logic(scene: Scene) -> Found:
    """`and` for `or`, a condition that is left out or turned round, a superfluous `not` or minus."""
    for node in nodes(scene, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        values = [scene.text(value) for value in node.values]
        yield scene.swap(node, f" {new} ".join(values)), node.lineno - 1, 0.9
        for index in range(len(values) - 1) if len(values) > 2 else ():
            joined = f"({values[index]} {new} {values[index + 1]})"
            yield scene.swap(node, f" {old} ".join([*values[:index], joined, *values[index + 2 :]])), node.lineno - 1, 0.8
        for index, value in enumerate(values):
            rest = [f"not ({each})" if each == value else each for each in values]
            yield scene.swap(node, f" {old} ".join(rest)), node.lineno - 1, 0.4
            yield scene.swap(node, f" {old} ".join(values[:index] + values[index + 1 :])), node.lineno - 1, 0.4
    for kind in (ast.If, ast.While, ast.IfExp):
        for branch in nodes(scene, kind):
            test: ast.expr = branch.test  # type: ignore[attr-defined]  # all three have one
            yield scene.swap(test, f"not ({scene.text(test)})"), test.lineno - 1, 0.6
    for sign in nodes(scene, ast.UnaryOp):
        if isinstance(sign.op, ast.Not | ast.USub):
            yield scene.swap(sign, scene.text(sign.operand)), sign.lineno - 1, 0.6


def numbers(scene: Scene) -> Found:
    """A number off by one, a switch the wrong way. Freely chosen constants would fit any weak test, so there are none."""
    for node in nodes(scene, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            yield scene.swap(node, str(not value)), node.lineno - 1, 0.9
        elif isinstance(value, int):
            for other in (value + 1, value - 1):
                yield scene.swap(node, str(other)), node.lineno - 1, 0.8


def bounds(scene: Scene) -> Found:
    """One more or one less where a length, an index or a bound is computed."""
    for node in nodes(scene, ast.Call):
        name, line = scene.text(node.func), node.lineno - 1
        if name == "range":
            yield from _one_off(scene, node.args[:2], 0.8)
            if len(node.args) == 1:
                yield scene.swap(node.args[0], f"1, {scene.text(node.args[0])}"), line, 0.5
                yield scene.swap(node.args[0], f"1, {scene.text(node.args[0])} + 1"), line, 0.5
        if name == "len":
            yield from _one_off(scene, [node], 0.5)
        if name != "range":
            counted = name.rsplit(".", 1)[-1] in ("islice", "randint", "randrange", "insert", "pop", "rjust", "ljust", "zfill", "repeat")
            plain = [each for each in node.args if isinstance(each, ast.Name | ast.Attribute)]
            yield from _one_off(scene, plain, 0.8 if counted else 0.35)
    for cut in nodes(scene, ast.Slice):
        yield from _one_off(scene, [bound for bound in (cut.lower, cut.upper) if bound is not None], 0.7)
    for leave in nodes(scene, ast.Return):
        if isinstance(leave.value, ast.Name | ast.BinOp | ast.Call):
            yield from _one_off(scene, [leave.value], 0.3)


def _one_off(scene: Scene, places: Sequence[ast.expr], weight: float) -> Found:
    for place in places:
        for sign in ("+", "-"):
            yield scene.swap(place, f"{scene.text(place)} {sign} 1"), place.lineno - 1, weight


def bits(scene: Scene) -> Found:
    """Another bit operator, or the logical one."""
    others: Mapping[type[ast.operator], tuple[str, ...]] = {
        ast.BitAnd: ("|", "^"), ast.BitOr: ("&", "^"), ast.BitXor: ("&", "|"), ast.LShift: (">>",), ast.RShift: ("<<",),
    }  # fmt: skip
    for node in nodes(scene, ast.BinOp):
        for symbol in others.get(type(node.op), ()):
            yield scene.swap(node, f"{scene.text(node.left)} {symbol} {scene.text(node.right)}"), node.lineno - 1, 0.8


def chains(scene: Scene) -> Found:
    """One operator of `a < b <= c`."""
    for node in nodes(scene, ast.Compare):
        if len(node.ops) > 1:
            operands = [scene.text(each) for each in (node.left, *node.comparators)]
            symbols = [_SYMBOLS[type(each)] for each in node.ops]
            for index, op in enumerate(node.ops):
                for other in _COMPARE[type(op)]:
                    changed = [*symbols[:index], other, *symbols[index + 1 :]]
                    pieces = [piece for pair in zip(changed, operands[1:], strict=True) for piece in pair]
                    yield scene.swap(node, " ".join([operands[0], *pieces])), node.lineno - 1, 0.9
            loose = [{"<": "<=", "<=": "<", ">": ">=", ">=": ">"}.get(symbol, symbol) for symbol in symbols]
            pieces = [piece for pair in zip(loose, operands[1:], strict=True) for piece in pair]
            yield scene.swap(node, " ".join([operands[0], *pieces])), node.lineno - 1, 0.7


def extremes(scene: Scene) -> Found:
    """Where a search starts: at the first element or beyond every value, in place of a number; a sign that is missing."""
    for node in nodes(scene, ast.Assign):
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, int | float | None) and len(node.targets) == 1:
            for start in ('float("inf")', 'float("-inf")', "None", "0", "1", "[]", "{}", "set()"):
                yield scene.swap(node.value, start), node.lineno - 1, 0.35
    for leave in nodes(scene, ast.Return):
        if isinstance(leave.value, ast.Name | ast.BinOp | ast.Call | ast.Attribute):
            yield scene.swap(leave.value, f"-({scene.text(leave.value)})"), leave.lineno - 1, 0.2
            yield scene.swap(leave.value, f"not ({scene.text(leave.value)})"), leave.lineno - 1, 0.25
            yield scene.swap(leave.value, f"abs({scene.text(leave.value)})"), leave.lineno - 1, 0.2


def steps(scene: Scene) -> Found:
    """A superfluous `+ 1` or `- 1`; a quotient that should be rounded up; a bound moved by one."""
    for node in nodes(scene, ast.BinOp):
        if not isinstance(node.op, ast.Add | ast.Sub):
            continue
        if isinstance(node.right, ast.Constant) and type(node.right.value) is int:
            yield scene.swap(node, scene.text(node.left)), node.lineno - 1, 0.8
            if isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.FloorDiv):
                above, below = scene.text(node.left.left), scene.text(node.left.right)
                yield scene.swap(node, f"-(-{above} // {below})"), node.lineno - 1, 0.8
                yield scene.swap(node, f"({above} + {below} - 1) // {below}"), node.lineno - 1, 1.0


def cuts(scene: Scene) -> Found:
    """A slice with one bound too many; an index or an assigned bound that is off by one."""
    for given in nodes(scene, ast.Assign):
        if isinstance(given.value, ast.Name | ast.Attribute) or (isinstance(given.value, ast.BinOp) and scene.text(given.value)):
            yield from _one_off(scene, [given.value], 0.4)
    for cut in nodes(scene, ast.Slice):
        lower, upper = scene.text(cut.lower) if cut.lower else "", scene.text(cut.upper) if cut.upper else ""
        if cut.step is None and (lower or upper):
            for other in (f"{lower}:" if upper else "", f":{upper}" if lower else "", f"{upper}:" if not lower else ""):
                if other.strip(":"):
                    yield scene.swap(cut, other), cut.lineno - 1, 0.4
    for index in nodes(scene, ast.Subscript):
        if isinstance(index.slice, ast.Name):
            yield from _one_off(scene, [index.slice], 0.5)


def ordering(scene: Scene) -> Found:
    """What is sorted by several keys of which one runs the other way; the last of equals in place of the first."""
    for node in nodes(scene, ast.Call):
        key = next((each.value for each in node.keywords if each.arg == "key"), None)
        if not isinstance(key, ast.Lambda):
            continue
        parts = key.body.elts if isinstance(key.body, ast.Tuple) else [key.body]
        reverse = [each for each in node.keywords if each.arg == "reverse"]
        texts = [scene.text(part) for part in parts]
        given = [scene.text(each) for each in node.args]
        others = [f"{each.arg}={scene.text(each.value)}" for each in node.keywords if each.arg not in ("key", "reverse")]
        parameters = scene.text(key).split(":", 1)[0]
        function = scene.text(node.func)
        for index in range(len(parts)):
            signed = [_negated(text) if at == index else text for at, text in enumerate(texts)]
            body = signed[0] if len(signed) == 1 else f"({', '.join(signed)})"
            plain = ", ".join([*given, f"key={parameters}: {body}", *others])
            yield scene.swap(node, f"{function}({plain})"), node.lineno - 1, 1.0
            if reverse:
                yield scene.swap(node, f"{function}({plain}, reverse=True)"), node.lineno - 1, 0.6
        if len(parts) > 1:
            for index in range(len(texts) - 1):
                swapped = [*texts[:index], texts[index + 1], texts[index], *texts[index + 2 :]]
                yield scene.swap(key.body, f"({', '.join(swapped)})"), node.lineno - 1, 0.7


def _negated(text: str) -> str:
    return text[1:] if text.startswith("-") else f"-{text}"


def places(scene: Scene) -> Found:
    """Two elements of a tuple, two indices, two branches or two bodies that have changed places."""
    for node in nodes(scene, ast.Tuple):
        texts = [scene.text(each) for each in node.elts]
        for index in range(len(texts) - 1):
            pairs: list[tuple[ast.expr, str]] = [(node.elts[index], texts[index + 1]), (node.elts[index + 1], texts[index])]
            yield scene.swap_all([*pairs]), node.lineno - 1, 0.5
    for outer in nodes(scene, ast.Subscript):
        if isinstance(outer.value, ast.Subscript):
            swapped = [(outer.slice, scene.text(outer.value.slice)), (outer.value.slice, scene.text(outer.slice))]
            yield scene.swap_all([*swapped]), outer.lineno - 1, 0.7
    for choice in nodes(scene, ast.IfExp):
        yield (
            scene.swap_all([(choice.body, scene.text(choice.orelse)), (choice.orelse, scene.text(choice.body))]),
            choice.lineno - 1,
            0.5,
        )
    for branch in nodes(scene, ast.If):
        if len(branch.orelse) == 1 and isinstance(branch.orelse[0], ast.If):
            other = branch.orelse[0]
            tests: list[tuple[ast.expr, str]] = [(branch.test, scene.text(other.test)), (other.test, scene.text(branch.test))]
            yield scene.swap_all([*tests]), branch.lineno - 1, 0.5
            yield _with_bodies_swapped(scene, branch, other, [*tests]), branch.lineno - 1, 0.6


def _with_bodies_swapped(scene: Scene, one: ast.If, other: ast.If, tests: list[tuple[ast.expr, str]]) -> str:
    """Two branches in the other order: conditions and what they lead to."""
    lines = scene.swap_all([*tests]).splitlines(keepends=True)
    spans = [(branch.body[0].lineno - 1, branch.body[-1].end_lineno or branch.body[-1].lineno) for branch in (one, other)]
    (start, end), (begin, stop) = spans
    return "".join([*lines[:start], *lines[begin:stop], *lines[end:begin], *lines[start:end], *lines[stop:]])


def patterns(scene: Scene) -> Found:
    """A regular expression that is greedy, too lax, or not anchored."""
    for node in nodes(scene, ast.Constant):
        text = scene.text(node)
        if not isinstance(node.value, str) or not re.match(r"[rR]?['\"]", text) or not re.search(r"[\\\[(.^$]", node.value):
            continue
        raw = text.lower().startswith("r")
        head = re.match(r"[rR]?('''|\"\"\"|'|\")", text)
        quote = head[1] if head else ""
        start, end = (head.end() if head else 0), len(text) - len(quote)
        inner, line = text[start:end], node.lineno - 1
        for found in re.finditer(r"(?<!\\)[.\])a-zA-Z][*+](?!\?)", inner):
            yield scene.swap(node, f"{text[:start]}{inner[: found.end()]}?{inner[found.end() :]}{quote}"), line, 0.7
        for found in re.finditer(r"(?<!\\)([*+])", inner):
            other = "+" if found[1] == "*" else "*"
            yield scene.swap(node, f"{text[:start]}{inner[: found.start()]}{other}{inner[found.end() :]}{quote}"), line, 0.6
        for found in re.finditer(r"\.[*+]\??(?=([\"'\]),;:|/ ]))", inner):
            closing = found[1]
            if closing != quote:
                yield (
                    scene.swap(node, f"{text[:start]}{inner[: found.start()]}[^{closing}]{inner[found.start() + 1 :]}{quote}"),
                    line,
                    0.7,
                )
        slash = "\\" if raw else "\\\\"
        for found in re.finditer(r"(?<![\\\[^])\.(?![*+?])", inner):
            yield scene.swap(node, f"{text[:start]}{inner[: found.start()]}{slash}.{inner[found.end() :]}{quote}"), line, 0.6
        if not inner.endswith("$"):
            yield scene.swap(node, f"{text[:start]}{inner}${quote}"), line, 0.5
        else:
            yield scene.swap(node, f"{text[:start]}{inner[:-1]}{quote}"), line, 0.4
        if not inner.startswith("^"):
            yield scene.swap(node, f"{text[:start]}^{inner}{quote}"), line, 0.5
        for found in re.finditer(r"\\+d(?![+*?{])", inner):
            yield scene.swap(node, f"{text[:start]}{inner[: found.end()]}+{inner[found.end() :]}{quote}"), line, 0.5
