"""How a value is computed: what belongs together, where it starts, between which limits it stays, and whether it is there at all."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from suture_agent.direct.templates.scene import Found, Scene, nodes

_SIGNS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
}  # fmt: skip


def grouping(scene: Scene) -> Found:
    """Parentheses that are missing, or stand where they should not: `a + b / c` for `(a + b) / c`."""
    for node in nodes(scene, ast.BinOp):
        sign = _SIGNS.get(type(node.op))
        if sign is None:
            continue
        left, right, line = node.left, node.right, node.lineno - 1
        if isinstance(right, ast.BinOp) and (other := _SIGNS.get(type(right.op))):
            made = f"({scene.text(left)} {sign} {scene.text(right.left)}) {other} {scene.text(right.right)}"
            yield _bare(scene, node, made), line, 0.7
        if isinstance(left, ast.BinOp) and (other := _SIGNS.get(type(left.op))):
            joined = f"{scene.text(left.right)} {sign} {scene.text(right)}"
            yield _bare(scene, node, f"{scene.text(left.left)} {other} ({joined})"), line, 0.7


def _bare(scene: Scene, node: ast.BinOp, made: str) -> str:
    """The source with another expression in the node's place; whatever it is part of takes it as a whole."""
    inside = any(node in (outer.left, outer.right) for outer in nodes(scene, ast.BinOp))
    return scene.swap(node, f"({made})" if inside else made)


def starts(scene: Scene) -> Found:
    """Where a computation starts: the other infinity, a fraction, the first element, a row that counts up."""
    for node in nodes(scene, ast.Assign):
        value, line = node.value, node.lineno - 1
        if isinstance(value, ast.Constant) and type(value.value) in (int, float):
            for name in scene.parameters:
                yield scene.swap(value, f"{name}[0]"), line, 0.45
            for other in ("0.0", "1.0", "-1"):
                yield scene.swap(value, other), line, 0.35
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult) and isinstance(value.left, ast.List):
            yield scene.swap(value, f"list(range({scene.text(value.right)}))"), line, 0.7
            for element in value.left.elts[:1]:
                for other in ("0", "1", "None", "True", "False", "float('inf')"):
                    yield scene.swap(element, other), line, 0.6
    yield from _endless(scene)


def _endless(scene: Scene) -> Found:
    """The other infinity."""
    infinite = {'float("inf")': 'float("-inf")', "float('inf')": "float('-inf')", "math.inf": "-math.inf"}
    for named in [*nodes(scene, ast.Call), *nodes(scene, ast.Attribute)]:
        text = scene.text(named)
        for one, other in infinite.items():
            if text in (one, other):
                yield scene.swap(named, other if text == one else one), named.lineno - 1, 0.8
    for negative in nodes(scene, ast.UnaryOp):
        if scene.text(negative) == "-math.inf":
            yield scene.swap(negative, "math.inf"), negative.lineno - 1, 0.8


def limits(scene: Scene) -> Found:
    """A value that must not be negative, must not leave a range, or goes round."""
    results = [node.value for node in nodes(scene, ast.Return)] + [node.value for node in nodes(scene, ast.Assign)]
    computed = [value for value in results if isinstance(value, ast.BinOp | ast.Call)]
    for value in computed:
        text, line = scene.text(value), value.lineno - 1
        yield scene.swap(value, f"max(0, {text})"), line, 0.4
        for name in scene.parameters[:4]:
            yield scene.swap(value, f"min({text}, {name})"), line, 0.25
            yield scene.swap(value, f"max({text}, {name})"), line, 0.25
    for name_node in [node.value for node in nodes(scene, ast.Return) if isinstance(node.value, ast.Name)]:
        yield scene.swap(name_node, f"max(0, {name_node.id})"), name_node.lineno - 1, 0.35
        for name in [each for each in scene.parameters[:4] if each != name_node.id]:
            yield scene.swap(name_node, f"min({name_node.id}, {name})"), name_node.lineno - 1, 0.3
            yield scene.swap(name_node, f"max({name_node.id}, {name})"), name_node.lineno - 1, 0.3
    for node in nodes(scene, ast.Compare):
        for side in (node.left, *node.comparators):
            if isinstance(side, ast.BinOp) and isinstance(side.op, ast.Sub):
                yield scene.swap(side, f"abs({scene.text(side)})"), node.lineno - 1, 0.6
    for step in nodes(scene, ast.BinOp):
        if isinstance(step.op, ast.Add | ast.Sub) and isinstance(step.right, ast.Constant) and step.right.value == 1:
            for name in scene.parameters[:4]:
                yield scene.swap(step, f"({scene.text(step)}) % {name}"), step.lineno - 1, 0.25
                yield scene.swap(step, f"({scene.text(step)}) % len({name})"), step.lineno - 1, 0.35


_METHODS = ("{}.lower()", "{}.casefold()", "{}.strip()")


def sameness(scene: Scene) -> Found:
    """Two values that are compared as objects, with their case, their spaces or their last digit."""
    for node in nodes(scene, ast.Compare):
        if len(node.ops) != 1:
            continue
        left, right, op, line = scene.text(node.left), scene.text(node.comparators[0]), node.ops[0], node.lineno - 1
        if isinstance(op, ast.Is | ast.IsNot):
            yield scene.swap(node, f"{left} {'==' if isinstance(op, ast.Is) else '!='} {right}"), line, 0.9
        if isinstance(op, ast.Eq | ast.NotEq):
            sign = "==" if isinstance(op, ast.Eq) else "!="
            methods = () if any(isinstance(each, ast.BinOp | ast.UnaryOp) for each in (node.left, node.comparators[0])) else _METHODS
            for made in (*methods, "sorted({})", "set({})", "str({})"):
                yield scene.swap(node, f"{made.format(left)} {sign} {made.format(right)}"), line, 0.35
            if any(isinstance(each, ast.BinOp | ast.Call) for each in (node.left, node.comparators[0])):
                close = f"math.isclose({left}, {right})"
                yield scene.swap(node, close if sign == "==" else f"not {close}"), line, 0.4


def presence(scene: Scene) -> Found:
    """Empty or zero that is taken for missing: `if x` for `if x is not None`, `x or y`; what a comprehension should leave out."""
    for test in _conditions(scene):
        inner = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else test
        if isinstance(inner, ast.Name | ast.Attribute | ast.Subscript | ast.NamedExpr):
            word = "is not None" if inner is test else "is None"
            text = f"({scene.text(inner)})" if isinstance(inner, ast.NamedExpr) else scene.text(inner)
            yield scene.swap(test, f"{text} {word}"), test.lineno - 1, 0.8
    for node in nodes(scene, ast.BoolOp):
        if isinstance(node.op, ast.Or) and len(node.values) == 2:
            first, second = (scene.text(each) for each in node.values)
            yield scene.swap(node, f"({first} if {first} is not None else {second})"), node.lineno - 1, 0.7
    for over in nodes(scene, ast.comprehension):
        if not over.ifs and isinstance(over.target, ast.Name):
            name, text = over.target.id, scene.text(over.iter)
            for condition in (f"{name} is not None", name, f"{name}.strip()"):
                yield scene.swap(over.iter, f"{text} if {condition}"), over.iter.lineno - 1, 0.5


def _conditions(scene: Scene) -> Iterator[ast.expr]:
    for kind in (ast.If, ast.While, ast.IfExp):
        for branch in nodes(scene, kind):
            yield branch.test  # type: ignore[attr-defined]  # all three have one
    for over in nodes(scene, ast.comprehension):
        yield from over.ifs
    for joined in nodes(scene, ast.BoolOp):
        if isinstance(joined.op, ast.And):
            yield from joined.values


def shares(scene: Scene) -> Found:
    """Equal parts of a whole number that lose what is left over: the first, or the last, get one more."""
    parts: dict[str, tuple[ast.expr, str, str]] = {}
    for node in nodes(scene, ast.Assign):
        inner = node.value.args[0] if isinstance(node.value, ast.Call) and len(node.value.args) == 1 else node.value
        if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.FloorDiv | ast.Div) and isinstance(node.targets[0], ast.Name):
            parts[node.targets[0].id] = (node.value, scene.text(inner.left), scene.text(inner.right))
    for many in nodes(scene, ast.BinOp):
        one = many.left.elts[0] if isinstance(many.left, ast.List) and len(many.left.elts) == 1 else None
        if not isinstance(many.op, ast.Mult) or not isinstance(one, ast.Name) or one.id not in parts:
            continue
        value, whole, number = parts[one.id]
        more, plain = f"[{one.id} + 1] * ({whole} % {number})", f"[{one.id}] * ({number} - {whole} % {number})"
        for text in (f"{more} + {plain}", f"{plain} + {more}"):
            yield scene.swap_all([(value, f"{whole} // {number}"), (many, text)]), many.lineno - 1, 1.0


_BITS: dict[type[ast.operator], str] = {ast.LShift: "<<", ast.RShift: ">>", ast.BitOr: "|", ast.BitAnd: "&"}


def noted(scene: Scene) -> Found:
    """A sum that is computed and not kept: `x + 1` for `x += 1`, `x =- 1` for `x -= 1`."""
    for node in nodes(scene, ast.Expr):
        made = node.value
        if isinstance(made, ast.BinOp) and isinstance(made.left, ast.Name | ast.Attribute | ast.Subscript):
            sign = _SIGNS.get(type(made.op)) or _BITS.get(type(made.op))
            if sign:
                for other in dict.fromkeys([sign, {"<<": ">>", ">>": "<<", "+": "-", "-": "+"}.get(sign, sign)]):
                    yield scene.swap(node, f"{scene.text(made.left)} {other}= {scene.text(made.right)}"), node.lineno - 1, 1.5
    for given in nodes(scene, ast.Assign):
        if isinstance(given.value, ast.UnaryOp) and isinstance(given.value.op, ast.USub | ast.UAdd):
            sign = "-" if isinstance(given.value.op, ast.USub) else "+"
            made_text = f"{scene.text(given.targets[0])} {sign}= {scene.text(given.value.operand)}"
            yield scene.swap(given, made_text), given.lineno - 1, 1.2


def together(scene: Scene) -> Found:
    """Two or more places that are wrong in the same way: `//` and `%` that changed places, a variable with the wrong sign."""
    parts = [node for node in nodes(scene, ast.BinOp) if isinstance(node.op, ast.FloorDiv | ast.Mod)]
    if len(parts) > 1:
        steps = [node for node in nodes(scene, ast.AugAssign) if isinstance(node.op, ast.FloorDiv | ast.Mod)]
        turned = [
            (node, f"{scene.text(node.left)} {'%' if isinstance(node.op, ast.FloorDiv) else '//'} {scene.text(node.right)}")
            for node in parts
        ]
        if not any(inner is not node and inner in ast.walk(node) for node in parts for inner in parts) and not steps:
            yield scene.swap_all([*turned]), parts[0].lineno - 1, 0.7
    for name in scene.parameters:
        uses = [node for node in nodes(scene, ast.Name) if node.id == name and isinstance(node.ctx, ast.Load)]
        if 1 < len(uses) < 6:
            for made in (f"-{name}", f"({name} + 1)", f"({name} - 1)"):
                yield scene.swap_all([(use, made) for use in uses]), uses[0].lineno - 1, 0.4


def bounded(scene: Scene) -> Found:
    """One side of a computation that must not go beyond an argument."""
    for node in nodes(scene, ast.BinOp):
        for side in (node.left, node.right):
            if isinstance(side, ast.Name):
                for name in [each for each in scene.parameters[:4] if each != side.id]:
                    yield scene.swap(side, f"min({name}, {side.id})"), side.lineno - 1, 0.35
                    yield scene.swap(side, f"max({name}, {side.id})"), side.lineno - 1, 0.35


_FACTORS = ("1000", "100", "60", "3600", "24")


def units(scene: Scene) -> Found:
    """One side of a comparison or of a sum that is in another unit: grams and kilograms, cents, minutes."""
    pairs = [
        (node.left, node.comparators[0])
        for node in nodes(scene, ast.Compare)
        if isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE)
    ]
    pairs += [(node.left, node.right) for node in nodes(scene, ast.BinOp) if isinstance(node.op, ast.Add | ast.Sub)]
    for side in [each for pair in pairs for each in pair if isinstance(each, ast.Name | ast.Attribute | ast.Call | ast.Subscript)]:
        for factor in _FACTORS:
            for sign in ("*", "/", "//"):
                yield scene.swap(side, f"{scene.text(side)} {sign} {factor}"), side.lineno - 1, 0.35
