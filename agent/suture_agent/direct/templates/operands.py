"""Two types that do not go together, as the message names them: one side in the form of the other."""

from __future__ import annotations

import ast
import re

from suture_agent.direct.templates.scene import SURE, Found, Scene, nodes

_PAIRS = (
    r"unsupported operand type\(s\) for [^:]+: '([\w.]+)' and '([\w.]+)'",
    r"not supported between instances of '([\w.]+)' and '([\w.]+)'",
    r"can only concatenate ([\w.]+) \(not \"([\w.]+)\"\)",
    r"Unsupported operand types for \S+ \(\"([\w.]+)[^\"]*\" and \"([\w.]+)[^\"]*\"\)",
    r"Operator \"[^\"]+\" not supported for types \"([\w.]+)[^\"]*\" and \"([\w.]+)[^\"]*\"",
    r"expected ([\w.]+) instance, ([\w.]+) found",
    r"must be ([\w.]+), not ([\w.]+)",
    r"of type \"([\w.]+)\" cannot be assigned to parameter \"\w+\" of type \"([\w.]+)\" in function \"__\w+__\"",
    r"can't (?:concat|compare) ([\w.]+) (?:to|and) ([\w.]+)",
)
_FORMS = {
    "str": ("str({})", "{}.decode()", '", ".join({})'), "int": ("int({})", "len({})", "sum({})"), "float": ("float({})",),
    "Decimal": ("Decimal(str({}))", "Decimal({})"), "Fraction": ("Fraction({})",), "list": ("list({})", "[{}]"),
    "tuple": ("tuple({})", "({},)"), "set": ("set({})", "{{{}}}"), "frozenset": ("frozenset({})",), "bytes": ("{}.encode()", "bytes({})"),
    "timedelta": ("timedelta(days={})", "timedelta(minutes={})", "timedelta(seconds={})", "timedelta(hours={})", "timedelta(weeks={})"),
    "datetime": ("datetime.fromisoformat({})", "datetime.combine({}, datetime.min.time())"),
    "date": ("date.fromisoformat({})", "{}.date()"), "PosixPath": ("Path({})",), "Path": ("Path({})",), "dict": ("dict({})",),
}  # fmt: skip
_READ = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.BinOp)


def operands(scene: Scene) -> Found:
    """`unsupported operand type(s) for /: 'float' and 'decimal.Decimal'`: either side in the form of the other's type."""
    kinds = {name.rpartition(".")[2] for pattern in _PAIRS for pair in re.findall(pattern, scene.said) for name in pair}
    forms = [form for kind in sorted(kinds) for form in _FORMS.get(kind, ())]
    if not forms:
        return
    pairs = [(node.left, node.right) for node in nodes(scene, ast.BinOp)]
    pairs += [(node.left, node.comparators[0]) for node in nodes(scene, ast.Compare)]
    places = [side for pair in pairs for side in pair] + [each for node in nodes(scene, ast.Call) for each in node.args]
    places += [node.slice for node in nodes(scene, ast.Subscript)]
    places += [node.value for node in nodes(scene, ast.AugAssign)] + [node.value for node in nodes(scene, ast.Assign)]
    places += [node.value for node in nodes(scene, ast.Return) if node.value is not None]
    places += [node.elt for node in nodes(scene, ast.GeneratorExp)] + [node.elt for node in nodes(scene, ast.ListComp)]
    for place in places:
        if isinstance(place, _READ):
            near = SURE if place.lineno - 1 == scene.pointed else 1.0
            for form in forms:
                yield scene.swap(place, form.format(scene.text(place))), place.lineno - 1, near
    yield from _at_once(scene, forms)


def _at_once(scene: Scene, forms: list[str]) -> Found:
    """A name in another form wherever it is read: one mistake in several operations."""
    for name in scene.parameters:
        uses = [node for node in nodes(scene, ast.Name) if node.id == name and isinstance(node.ctx, ast.Load)]
        for form in forms if len(uses) > 1 else ():
            yield scene.swap_all([(use, form.format(name)) for use in uses]), uses[0].lineno - 1, 0.8
    constants: dict[str, list[ast.Name]] = {}
    for node in nodes(scene, ast.Name):
        if node.id.isupper():
            constants.setdefault(node.id, []).append(node)
    for form in forms if len(constants) > 1 else ():
        every = [(use, form.format(use.id)) for found in constants.values() for use in found]
        yield scene.swap_all([*every]), every[0][0].lineno - 1, 0.9
