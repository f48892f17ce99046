"""What linters ask for and do not mend by themselves. The rules are named as ruff names them; others use the same words."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

from suture_agent.direct.templates.scene import Found, Scene, first, nodes


def lint(scene: Scene) -> Found:
    """The edits for the codes that the message names."""
    for code in dict.fromkeys(re.findall(r"\b[A-Z]{1,4}\d{3,4}\b", scene.said)):
        operator = _BY_CODE.get(code)
        if operator is not None:
            for source, line, weight in operator(scene):
                near = scene.pointed is None or line == scene.pointed
                yield source, scene.pointed or 0, weight if near else weight / 2


def _bare_except(scene: Scene) -> Found:
    lines = scene.source.splitlines(keepends=True)
    raised = sorted({error for node in ast.walk(scene.tree) for kind, errors in _MAY_RAISE if isinstance(node, kind) for error in errors})
    for node in nodes(scene, ast.ExceptHandler):
        at = node.lineno - 1
        if node.type is None:
            for kinds in ("Exception", f"({', '.join(raised)})" if len(raised) > 1 else ""):
                if kinds:
                    yield "".join([*lines[:at], lines[at].replace("except", f"except {kinds}", 1), *lines[at + 1 :]]), at, 2.0


_MAY_RAISE: tuple[tuple[type[ast.AST], tuple[str, ...]], ...] = (
    (ast.Call, ("ValueError", "TypeError")), (ast.Subscript, ("KeyError", "IndexError")), (ast.Attribute, ("AttributeError",)),
    (ast.Div, ("ZeroDivisionError",)),
)  # fmt: skip


def _raise_from(scene: Scene) -> Found:
    for handler in nodes(scene, ast.ExceptHandler):
        for node in [each for part in handler.body for each in ast.walk(part) if isinstance(each, ast.Raise)]:
            if node.cause is None and node.exc is not None:
                if handler.name:
                    yield scene.swap(node, f"{scene.text(node)} from {handler.name}"), node.lineno - 1, 2.0
                yield scene.swap(node, f"{scene.text(node)} from None"), node.lineno - 1, 1.5


def _unused_loop_variable(scene: Scene) -> Found:
    for loop in nodes(scene, ast.For):
        used = {node.id for part in loop.body for node in ast.walk(part) if isinstance(node, ast.Name)}
        for name in [node for node in ast.walk(loop.target) if isinstance(node, ast.Name)]:
            if name.id not in used:
                yield scene.swap(name, f"_{name.id}"), name.lineno - 1, 2.0
                yield scene.swap(name, "_"), name.lineno - 1, 1.5


def _ambiguous_name(scene: Scene) -> Found:
    for old, new in (("l", "line"), ("O", "other"), ("I", "index")):
        found = [node for node in nodes(scene, ast.Name) if node.id == old]
        if found:
            yield scene.swap_all([(node, new) for node in found]), found[0].lineno - 1, 2.0


def _mutable_default(scene: Scene) -> Found:
    from suture_agent.direct.templates.definitions import signature

    yield from ((source, line, weight) for source, line, weight in signature(scene) if weight >= 2.0)


def _comparison(scene: Scene) -> Found:
    """Equality with None, True and False."""
    for node in nodes(scene, ast.Compare):
        if len(node.ops) == 1 and isinstance(node.comparators[0], ast.Constant):
            left, value = scene.text(node.left), node.comparators[0].value
            equal = isinstance(node.ops[0], ast.Eq | ast.Is)
            if value is None:
                yield scene.swap(node, f"{left} is {'' if equal else 'not '}None"), node.lineno - 1, 2.0
            elif isinstance(value, bool):
                yield scene.swap(node, left if value is equal else f"not {left}"), node.lineno - 1, 2.0


def _type_comparison(scene: Scene) -> Found:
    for node in nodes(scene, ast.Compare):
        called = node.left
        if isinstance(called, ast.Call) and scene.text(called.func) == "type" and len(node.ops) == 1 and called.args:
            turned = "not " if isinstance(node.ops[0], ast.NotEq | ast.IsNot) else ""
            kind = scene.text(node.comparators[0])
            yield scene.swap(node, f"{turned}isinstance({scene.text(called.args[0])}, {kind})"), node.lineno - 1, 2.0
            yield scene.swap(node, f"type({scene.text(called.args[0])}) is {turned}{kind}"), node.lineno - 1, 1.5


def _long_line(scene: Scene) -> Found:
    """A call or a display of a long line with each of its elements on a line of its own."""
    lines = scene.source.splitlines()
    displays: list[ast.Call | ast.List | ast.Tuple] = [*nodes(scene, ast.Call), *nodes(scene, ast.List), *nodes(scene, ast.Tuple)]
    for node in displays:
        if node.lineno != node.end_lineno or len(lines[node.lineno - 1]) < 80:
            continue
        line = lines[node.lineno - 1]
        indent = line[: len(line) - len(line.lstrip())]
        parts: list[ast.expr | ast.keyword] = [*node.args, *node.keywords] if isinstance(node, ast.Call) else [*node.elts]
        if len(parts) > 1:
            inner = "".join(f"\n{indent}    {scene.text(part)}," for part in parts)
            opening = f"{scene.text(node.func)}(" if isinstance(node, ast.Call) else scene.text(node)[:1]
            yield scene.swap(node, f"{opening}{inner}\n{indent}{scene.text(node)[-1]}"), node.lineno - 1, 1.5


def _late_binding(scene: Scene) -> Found:
    from suture_agent.direct.templates.definitions import closures

    yield from closures(scene)


def _strict_zip(scene: Scene) -> Found:
    for node in nodes(scene, ast.Call):
        if scene.text(node.func) == "zip":
            for strict in ("True", "False"):
                yield scene.swap(node, f"{scene.text(node)[:-1]}, strict={strict})"), node.lineno - 1, 2.0 if strict == "True" else 1.5


def _import_first(scene: Scene) -> Found:
    """Imports that stand after other code of the module's head."""
    late = [node for node in scene.tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = scene.source.splitlines(keepends=True)
    for node in late:
        start, end = first(node), node.end_lineno or node.lineno
        others = [each for each in scene.tree.body if not isinstance(each, ast.Expr) and first(each) < start]
        if others:
            at = first(others[0])
            yield "".join([*lines[:at], *lines[start:end], *lines[at:start], *lines[end:]]), start, 1.5


_BY_CODE: Mapping[str, Callable[[Scene], Found]] = {
    "E722": _bare_except, "B904": _raise_from, "B007": _unused_loop_variable, "E741": _ambiguous_name, "B006": _mutable_default,
    "E711": _comparison, "E712": _comparison, "E721": _type_comparison, "E501": _long_line, "B023": _late_binding, "B905": _strict_zip,
    "E402": _import_first,
}  # fmt: skip
"""Rule of the linter -> what mends it."""
