"""What a loop, a comprehension or an exception handler gives: the wrong elements, too early, nothing, or without its cause."""

from __future__ import annotations

import ast
import itertools
import re

from suture_agent.direct.templates.scene import Found, Scene, bodies, first, nodes
from suture_sandbox.text import lines_with_ends

_FORMS = (
    "{}.strip()",
    "{}.lower()",
    "{}.value",
    "{}.name",
    "{}.copy()",
    "list({})",
    "dict({})",
    "str({})",
    "int({})",
    "float({})",
    "len({})",
    "tuple({})",
)


def elements(scene: Scene) -> Found:
    """A comprehension's elements in another form, its condition the other way round, its loops in another order, its kind."""
    made: list[ast.ListComp | ast.SetComp | ast.GeneratorExp] = [
        *nodes(scene, ast.ListComp), *nodes(scene, ast.SetComp), *nodes(scene, ast.GeneratorExp),
    ]  # fmt: skip
    for node in made:
        text, line, element = scene.text(node), node.lineno - 1, scene.text(node.elt)
        if isinstance(node.elt, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
            for form in _FORMS:
                yield scene.swap(node.elt, form.format(element)), line, 0.35
        if len(node.generators) == 2:
            yield scene.swap(node, _crossed(scene, node)), line, 0.8
            inner, outer = node.generators[1], node.generators[0]
            inside, outside = (f"for {scene.text(each.target)} in {scene.text(each.iter)}" for each in (inner, outer))
            yield scene.swap(node, f"[[{element} {inside}] {outside}]"), line, 0.6
        if isinstance(node, ast.ListComp):
            yield scene.swap(node, f"{{{text[1:-1]}}}"), line, 0.35
        if isinstance(node, ast.GeneratorExp) and element not in ("1", "True"):
            yield scene.swap(node.elt, "1"), line, 0.3
        for over in node.generators:
            for test in over.ifs:
                yield scene.swap(test, _opposite(scene, test)), line, 0.5
            for name in {each.id for each in ast.walk(over.target) if isinstance(each, ast.Name)} if not over.ifs else ():
                yield scene.swap(over.iter, f"{scene.text(over.iter)} if {name}"), line, 0.45
    for table in nodes(scene, ast.DictComp):
        pairs = [(table.key, scene.text(table.value)), (table.value, scene.text(table.key))]
        yield scene.swap_all([*pairs]), table.lineno - 1, 0.7


def _crossed(scene: Scene, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> str:
    """The comprehension with its two loops in the other order."""
    text = scene.text(node)
    loops = [f"for {scene.text(each.target)} in {scene.text(each.iter)}" for each in node.generators]
    return text.replace(loops[0], "\0", 1).replace(loops[1], loops[0], 1).replace("\0", loops[1], 1)


def _opposite(scene: Scene, test: ast.expr) -> str:
    text = scene.text(test)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return scene.text(test.operand)
    return f"not ({text})" if isinstance(test, ast.BoolOp) else f"not {text}"


def too_early(scene: Scene) -> Found:
    """A `return` inside a loop: `yield`, `continue` or `break` in its place; an `else` that belongs to the loop."""
    loops: list[ast.For | ast.While] = [*nodes(scene, ast.For), *nodes(scene, ast.While)]
    for loop in loops:
        for node in [each for part in loop.body for each in ast.walk(part) if isinstance(each, ast.Return)]:
            line = node.lineno - 1
            yield scene.swap(node, "continue"), line, 0.5
            yield scene.swap(node, "break"), line, 0.4
            if node.value is not None:
                yield scene.swap(node, f"yield {scene.text(node.value)}"), line, 0.7
        last = loop.body[-1]
        if isinstance(last, ast.If) and last.orelse and not isinstance(last.orelse[0], ast.If):
            lines = lines_with_ends(scene.source)
            start, end = last.orelse[0].lineno - 1, last.orelse[-1].end_lineno or last.orelse[-1].lineno
            word = next(at for at in range(start - 1, -1, -1) if lines[at].strip().startswith("else"))
            depth = last.orelse[0].col_offset - loop.col_offset
            moved = [line[depth:] for line in lines[start:end]]
            yield "".join([*lines[:word], *moved, *lines[end:]]), start, 0.9


def handlers(scene: Scene) -> Found:
    """An exception that is swallowed, or raised again without its cause."""
    for handler in nodes(scene, ast.ExceptHandler):
        for node in [each for part in handler.body for each in ast.walk(part) if isinstance(each, ast.Raise)]:
            text, line = scene.text(node), node.lineno - 1
            if node.exc is None or node.cause is not None:
                continue
            yield scene.swap(node, f"{text} from None"), line, 0.5
            if handler.name:
                yield scene.swap(node, f"{text} from {handler.name}"), line, 0.9
            elif handler.type is not None:
                changed = scene.swap_all([(node, f"{text} from error"), (handler.type, f"{scene.text(handler.type)} as error")])
                yield changed, line, 0.9
            yield scene.swap(node, "raise"), line, 0.5
        last = handler.body[-1]
        if isinstance(last, ast.Pass | ast.Continue | ast.Return) or (
            isinstance(last, ast.Expr) and not isinstance(last.value, ast.Constant)
        ):
            made = (
                "raise" if isinstance(last, ast.Pass | ast.Continue | ast.Return) else f"{scene.text(last)}\n{' ' * last.col_offset}raise"
            )
            yield scene.swap(last, made), last.lineno - 1, 0.8 if "DID NOT RAISE" in scene.said or "Cancelled" in scene.said else 0.35
    for block in nodes(scene, ast.Try):
        for one, other in itertools.pairwise(block.handlers):
            lines = lines_with_ends(scene.source)
            begin, middle, end = one.lineno - 1, other.lineno - 1, other.body[-1].end_lineno or other.body[-1].lineno
            yield "".join([*lines[:begin], *lines[middle:end], *lines[begin:middle], *lines[end:]]), begin, 0.8


def raises_now(scene: Scene) -> Found:
    """A result that is asked for None though the function raises; an exception that is awaited though it gives None."""
    lines = lines_with_ends(scene.source)
    kinds = [name for name in scene.raised if name != "AssertionError"]
    for body in bodies(scene.tree):
        for given, branch in itertools.pairwise(body):
            if not isinstance(given, ast.Assign) or not isinstance(branch, ast.If) or not isinstance(given.targets[0], ast.Name):
                continue
            name = given.targets[0].id
            if scene.text(branch.test) not in (f"{name} is None", f"not {name}"):
                continue
            indent, start, end = " " * given.col_offset, given.lineno - 1, branch.end_lineno or branch.lineno
            inside = _block(lines, branch.body)
            otherwise = f"{indent}else:\n{_block(lines, branch.orelse)}" if branch.orelse else ""
            for kind in kinds:
                made = f"{indent}try:\n{indent}    {scene.text(given)}\n{indent}except {kind}:\n{inside}{otherwise}"
                yield "".join([*lines[:start], made, *lines[end:]]), start, 1.5
    for block in nodes(scene, ast.Try):
        only = block.body[0]
        if len(block.body) == 1 and len(block.handlers) == 1 and isinstance(only, ast.Assign) and isinstance(only.targets[0], ast.Name):
            indent = " " * block.col_offset
            made = f"{indent}{scene.text(only)}\n{indent}if {only.targets[0].id} is None:\n{_block(lines, block.handlers[0].body)}"
            end = block.end_lineno or block.lineno
            if not block.finalbody and not block.orelse:
                yield "".join([*lines[: block.lineno - 1], made, *lines[end:]]), block.lineno - 1, 0.6


def _block(lines: list[str], body: list[ast.stmt]) -> str:
    return "".join(lines[first(body[0]) : body[-1].end_lineno])


def frozen_keys(scene: Scene) -> Found:
    """What looks something up, or is kept, in a form that equals what is looked for."""
    for node in nodes(scene, ast.Subscript):
        if not isinstance(node.slice, ast.Slice | ast.Constant):
            for form in (
                "tuple({})",
                "{}.lower()",
                "{}.strip()",
                "str({})",
                "int({})",
                "frozenset({})",
                "{}.casefold()",
                "tuple(sorted({}))",
            ):
                pairs = [each for each in nodes(scene, ast.Subscript) if scene.text(each) == scene.text(node)]
                yield scene.swap_all([(each.slice, form.format(scene.text(each.slice))) for each in pairs]), node.lineno - 1, 0.4
    for given in nodes(scene, ast.Assign):
        if isinstance(given.targets[0], ast.Name) and isinstance(given.value, ast.Name | ast.Attribute | ast.Subscript):
            text = scene.text(given.value)
            for form in (
                '"".join(sorted({}))',
                "tuple(sorted({}))",
                "tuple({})",
                "frozenset({})",
                "{}[:]",
                "{}.lower()",
                "{}.strip()",
                "set({})",
            ):
                yield scene.swap(given.value, form.format(text)), given.lineno - 1, 0.4
    for call in nodes(scene, ast.Call):
        for argument in call.args:
            if isinstance(argument, ast.Name | ast.Attribute):
                for form in ("tuple({})", "frozenset({})", "list({})", "{}.value", "lambda: {}", "({},)"):
                    yield scene.swap(argument, form.format(scene.text(argument))), call.lineno - 1, 0.3


def in_place(scene: Scene) -> Found:
    """What is sorted or turned round in place and belongs to the caller: a sorted copy."""
    for body in bodies(scene.tree):
        for index, node in enumerate(body):
            found = re.fullmatch(r"([\w.]+)\.(sort|reverse)\((.*)\)", scene.text(node), re.DOTALL)
            if found is None:
                continue
            name, how, given = found[1], found[2], found[3]
            made = f"sorted({', '.join(part for part in (name, given) if part)})" if how == "sort" else f"{name}[::-1]"
            if "." not in name:
                yield scene.swap(node, f"{name} = {made}"), node.lineno - 1, 0.9
            following = body[index + 1] if index + 1 < len(body) else None
            if isinstance(following, ast.Return) and following.value is not None and scene.text(following.value) == name:
                lines = scene.swap(following.value, made).splitlines(keepends=True)
                yield "".join([*lines[: first(node)], *lines[node.end_lineno or node.lineno :]]), node.lineno - 1, 1.0
