"""What linters ask for and do not mend by themselves. The rules are named as ruff names them; others use the same words."""

from __future__ import annotations

import ast
import builtins
import itertools
import re
from collections.abc import Callable, Mapping

from suture_agent.direct.templates.scene import Found, Scene, bodies, first, nodes
from suture_sandbox.text import lines_with_ends, split_lines


def lint(scene: Scene) -> Found:
    """The edits for the codes that the message names."""
    for code in dict.fromkeys(re.findall(r"\b[A-Z]{1,4}\d{3,4}\b", scene.said)):
        operator = _BY_CODE.get(code)
        if operator is not None:
            for source, line, weight in operator(scene):
                near = scene.pointed is None or line == scene.pointed
                yield source, scene.pointed or 0, weight if near else weight / 2


def _bare_except(scene: Scene) -> Found:
    lines = lines_with_ends(scene.source)
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
    lines = split_lines(scene.source)
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
    lines = lines_with_ends(scene.source)
    for node in late:
        start, end = first(node), node.end_lineno or node.lineno
        others = [each for each in scene.tree.body if not isinstance(each, ast.Expr) and first(each) < start]
        if others:
            at = first(others[0])
            yield "".join([*lines[:at], *lines[start:end], *lines[at:start], *lines[end:]]), start, 1.5


def _early_default(scene: Scene) -> Found:
    from suture_agent.direct.templates.definitions import signature

    yield from ((source, line, weight + 0.5) for source, line, weight in signature(scene) if weight >= 1.5)


def _builtin_name(scene: Scene) -> Found:
    """A variable or a parameter that takes the name of a built-in function: the name with an underscore."""
    for name in sorted(set(re.findall(r"[`'\"](\w+)[`'\"]", scene.said)) & set(dir(builtins))):
        yield from _renamed(scene, name, f"{name}_")


def _overwritten(scene: Scene) -> Found:
    """A loop's variable that is given another value in the loop: another name from there on."""
    for loop in nodes(scene, ast.For):
        targets = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
        for given in [each for part in loop.body for each in ast.walk(part) if isinstance(each, ast.Assign)]:
            target = given.targets[0]
            if isinstance(target, ast.Name) and target.id in targets:
                after = [each for each in ast.walk(loop) if isinstance(each, ast.Name) and each.id == target.id]
                later = [each for each in after if each.lineno > (given.end_lineno or given.lineno)]
                yield scene.swap_all([(each, f"new_{target.id}") for each in (target, *later)]), given.lineno - 1, 2.0


def _mutable_attribute(scene: Scene) -> Found:
    """A mutable attribute of a class, said to be the class's own."""
    kinds: dict[type[ast.expr], str] = {
        ast.List: "list[Any]",
        ast.Dict: "dict[str, Any]",
        ast.Set: "set[Any]",
        ast.ListComp: "list[Any]",
        ast.DictComp: "dict[str, Any]",
    }
    owners = [node for node in scene.tree.body if isinstance(node, ast.ClassDef)]
    for node in [each for owner in owners for each in owner.body]:
        if isinstance(node, ast.AnnAssign) and "ClassVar" not in scene.text(node.annotation):
            yield scene.swap(node.annotation, f"ClassVar[{scene.text(node.annotation)}]"), node.lineno - 1, 2.0
        elif isinstance(node, ast.Assign) and type(node.value) in kinds:
            kind = _kind_of(node.value) or kinds[type(node.value)]
            yield scene.swap(node.targets[0], f"{scene.text(node.targets[0])}: ClassVar[{kind}]"), node.lineno - 1, 2.0


def _kind_of(value: ast.expr) -> str:
    """The type of a display of constants; empty where its elements differ."""
    if isinstance(value, ast.Dict):
        keys = {type(each.value).__name__ for each in value.keys if isinstance(each, ast.Constant)}
        values = {type(each.value).__name__ if isinstance(each, ast.Constant) else "Any" for each in value.values}
        return f"dict[{keys.pop()}, {values.pop()}]" if len(keys) == len(values) == 1 else ""
    kinds = {type(each.value).__name__ for each in getattr(value, "elts", ()) if isinstance(each, ast.Constant)}
    return f"{type(value).__name__.lower()}[{kinds.pop()}]" if len(kinds) == 1 else ""


def _without_effect(scene: Scene) -> Found:
    """An expression whose value nobody takes: checked, given back, or left out."""
    for node in nodes(scene, ast.Expr):
        if not isinstance(node.value, ast.Call | ast.Await | ast.Yield | ast.YieldFrom | ast.Constant):
            lines = lines_with_ends(scene.source)
            at, end = node.lineno - 1, node.end_lineno or node.lineno
            yield "".join([*lines[:at], *lines[end:]]), at, 2.0
            yield scene.swap(node, f"return {scene.text(node)}"), at, 1.8
            if isinstance(node.value, ast.Compare) and isinstance(node.value.ops[0], ast.Eq):
                yield scene.swap(node, f"{scene.text(node.value.left)} = {scene.text(node.value.comparators[0])}"), at, 1.9


def _opened(scene: Scene) -> Found:
    """A file that is opened without `with`: what follows in its block stands inside one."""
    lines = lines_with_ends(scene.source)
    for body in bodies(scene.tree):
        for index, node in enumerate(body):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and "open" in scene.text(node.value.func):
                indent, start = " " * node.col_offset, node.lineno - 1
                last = body[-1].end_lineno or body[-1].lineno
                kept = [each for each in body[index + 1 :] if scene.text(each) != f"{scene.text(node.targets[0])}.close()"]
                inner = "".join(f"    {line}" for each in kept for line in lines[first(each) : each.end_lineno])
                made = f"{indent}with {scene.text(node.value)} as {scene.text(node.targets[0])}:\n{inner}"
                if kept:
                    yield "".join([*lines[:start], made, *lines[last:]]), start, 2.0
    for call in nodes(scene, ast.Call):
        inner_call = call.func.value if isinstance(call.func, ast.Attribute) else None
        if isinstance(inner_call, ast.Call) and scene.text(inner_call.func) == "open" and inner_call.args:
            method = scene.text(call.func).rsplit(".", 1)[-1]
            name = scene.text(inner_call.args[0])
            encoding = next((scene.text(each) for each in inner_call.keywords if each.arg == "encoding"), "")
            if method == "read":
                yield scene.swap(call, f"Path({name}).read_text({encoding})"), call.lineno - 1, 2.0


def _unused_argument(scene: Scene) -> Found:
    for name in sorted(set(re.findall(r"[`'\"](\w+)[`'\"]", scene.said)) & set(scene.parameters)):
        function = scene.function
        for argument in [each for each in ast.walk(function) if isinstance(each, ast.arg)] if function is not None else []:
            if argument.arg == name:
                text = scene.text(argument)
                yield scene.swap(argument, text.replace(name, f"_{name}", 1)), argument.lineno - 1, 2.0


def _lower_case(scene: Scene) -> Found:
    for name in sorted(set(re.findall(r"[`'\"](\w+)[`'\"]", scene.said))):
        yield from _renamed(scene, name, re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower())


def _renamed(scene: Scene, name: str, new: str) -> Found:
    """A local name in all its places."""
    uses: list[ast.Name | ast.arg] = [each for each in nodes(scene, ast.Name) if each.id == name]
    uses += [each for each in nodes(scene, ast.arg) if each.arg == name]
    if uses and new != name:
        pairs = [(each, scene.text(each).replace(name, new, 1)) for each in uses]
        yield scene.swap_all([*pairs]), min(each.lineno for each in uses) - 1, 2.0


def _stack_level(scene: Scene) -> Found:
    for node in nodes(scene, ast.Call):
        if scene.text(node.func).endswith("warn"):
            yield scene.swap(node, f"{scene.text(node)[:-1].rstrip().removesuffix(',')}, stacklevel=2)"), node.lineno - 1, 2.0


def _collected(scene: Scene) -> Found:
    """A loop that only appends, as a comprehension."""
    lines = lines_with_ends(scene.source)
    for body in bodies(scene.tree):
        for before, loop in itertools.pairwise(body):
            if not isinstance(before, ast.Assign | ast.AnnAssign) or not isinstance(loop, ast.For) or loop.orelse or len(loop.body) != 1:
                continue
            target = before.target if isinstance(before, ast.AnnAssign) else before.targets[0]
            only = loop.body[0]
            tests = f" if {scene.text(only.test)}" if isinstance(only, ast.If) and not only.orelse and len(only.body) == 1 else ""
            note = only.body[0] if isinstance(only, ast.If) and tests else only
            found = re.fullmatch(rf"{re.escape(scene.text(target))}\.append\((.+)\)", scene.text(note), re.DOTALL)
            if found is not None and before.value is not None and scene.text(before.value) in ("[]", "list()"):
                made = f"[{found[1]} for {scene.text(loop.target)} in {scene.text(loop.iter)}{tests}]"
                start, end = loop.lineno - 1, loop.end_lineno or loop.lineno
                kept = scene.swap(before.value, made).splitlines(keepends=True)
                shift = len(kept) - len(lines)
                yield "".join([*kept[: start + shift], *kept[end + shift :]]), start, 2.0


_BY_CODE: Mapping[str, Callable[[Scene], Found]] = {
    "E722": _bare_except, "B904": _raise_from, "B007": _unused_loop_variable, "E741": _ambiguous_name, "B006": _mutable_default,
    "E711": _comparison, "E712": _comparison, "E721": _type_comparison, "E501": _long_line, "B023": _late_binding, "B905": _strict_zip,
    "E402": _import_first, "B008": _early_default, "A001": _builtin_name, "A002": _builtin_name, "PLW2901": _overwritten,
    "RUF012": _mutable_attribute, "B018": _without_effect, "B015": _without_effect, "SIM115": _opened, "ARG001": _unused_argument,
    "ARG002": _unused_argument, "N806": _lower_case, "N803": _lower_case, "B028": _stack_level, "PERF401": _collected,
}  # fmt: skip
"""Rule of the linter -> what mends it."""
