"""Context managers and decorators: what a `with` gives, lets through and puts back, what wraps a function."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from suture_agent.direct.templates.scene import Found, Scene, bodies, first, nodes
from suture_sandbox.text import lines_with_ends


def managed(scene: Scene) -> Found:
    """What a `with` gives, lets through and puts back."""
    function = scene.function
    for node in nodes(scene, ast.With):
        made = [scene.text(each.context_expr) for each in node.items]
        for at in range(len(made) - 1):
            pairs = [(node.items[at].context_expr, made[at + 1]), (node.items[at + 1].context_expr, made[at])]
            if all(each.optional_vars is None for each in node.items[at : at + 2]):
                yield scene.swap_all([*pairs]), node.lineno - 1, 0.7
        yield from _stacked(scene, node)
    for call in nodes(scene, ast.Call):
        if scene.text(call.func).rsplit(".", 1)[-1] == "suppress":
            for name in scene.raised:
                yield scene.swap(call, f"{scene.text(call)[:-1].rstrip(', ')}, {name})"), call.lineno - 1, 1.0
    if function is None:
        return
    names = dict.fromkeys(node.id for node in nodes(scene, ast.Name) if isinstance(node.ctx, ast.Store))
    for given in nodes(scene, ast.Yield):
        if given.value is None and any("contextmanager" in scene.text(each) for each in function.decorator_list):
            for name in [*reversed(names), *scene.parameters, "self"]:
                yield scene.swap(given, f"yield {name}"), given.lineno - 1, 1.0
    if function.name in ("__exit__", "__aexit__"):
        yield from _left(scene)
    yield from _put_back(scene)


def _stacked(scene: Scene, node: ast.With) -> Found:
    """A stack that is closed with its block though what it holds is handed out: `pop_all`; what should be closed at the end."""
    for item in node.items:
        if isinstance(item.optional_vars, ast.Name) and "ExitStack" in scene.text(item.context_expr):
            name = item.optional_vars.id
            handed = [each.value for each in nodes(scene, ast.Assign)] + [each.value for each in nodes(scene, ast.Return)]
            for value in handed:
                if isinstance(value, ast.Name) and value.id == name:
                    yield scene.swap(value, f"{name}.pop_all()"), value.lineno - 1, 2.0
        if isinstance(item.context_expr, ast.Call) and ("__enter__" in scene.said or "context manager" in scene.said):
            yield scene.swap(item.context_expr, f"contextlib.closing({scene.text(item.context_expr)})"), node.lineno - 1, 1.2


def _left(scene: Scene) -> Found:
    """An end of a block that asks whether something was raised: not at all, or the wrong way round."""
    kind = next(iter(scene.parameters), "")
    for branch in nodes(scene, ast.If):
        for test in (f"{kind} is None", f"{kind} is not None", f"not {kind}", kind):
            if kind and test != scene.text(branch.test):
                yield scene.swap(branch.test, test), branch.lineno - 1, 0.9
    for node in nodes(scene, ast.Expr) if kind else ():
        if isinstance(node.value, ast.Call):
            text, indent = scene.text(node), " " * node.col_offset
            owner = scene.text(node.value.func).rpartition(".")[0]
            yield scene.swap(node, f"if {kind} is None:\n{indent}    {text}"), node.lineno - 1, 0.8
            yield scene.swap(node, f"if {kind} is not None:\n{indent}    {text}"), node.lineno - 1, 0.6
            undo = [name for name in ("rollback", "abort", "discard", "revert", "cancel", "undo") if name in scene.around.members]
            for other in undo:
                both = f"if {kind} is None:\n{indent}    {text}\n{indent}else:\n{indent}    {owner}.{other}()"
                yield scene.swap(node, both), node.lineno - 1, 1.2


def _put_back(scene: Scene) -> Found:
    """What a `finally` sets to a fixed value: the value from before."""
    for block in nodes(scene, ast.Try):
        for after in block.finalbody:
            if not isinstance(after, ast.Assign) or not isinstance(after.value, ast.Constant | ast.Name):
                continue
            target = scene.text(after.targets[0])
            body = next(statements for statements in bodies(scene.tree) if block in statements)
            earlier = next(
                (each for each in _before(body, block) if isinstance(each, ast.Assign) and scene.text(each.targets[0]) == target), block
            )
            changed = scene.swap(after.value, "old")
            lines = lines_with_ends(changed)
            at = first(earlier)
            yield "".join([*lines[:at], f"{' ' * block.col_offset}old = {target}\n", *lines[at:]]), after.lineno - 1, 0.9


def _before(body: list[ast.stmt], node: ast.stmt) -> Iterator[ast.stmt]:
    for each in body:
        if each is node:
            return
        yield each


def decorated(scene: Scene) -> Found:
    """A decorator or a factory: what its inner function takes, gives and is called."""
    function = scene.function
    if function is None:
        return
    inner = [each for each in ast.walk(function) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each is not function]
    for node in inner:
        line = node.lineno - 1
        outer = next((name for name in scene.parameters if name in {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}), "")
        lines, indent = lines_with_ends(scene.source), " " * node.col_offset
        if outer and not any("wraps" in scene.text(each) for each in node.decorator_list):
            yield "".join([*lines[: first(node)], f"{indent}@functools.wraps({outer})\n", *lines[first(node) :]]), line, 0.6
        if node.args.vararg and not node.args.kwarg:
            star = f"*{node.args.vararg.arg}"
            yield re.sub(rf"\{star}(?!\w)", f"{star}, **kwargs", scene.source), line, 1.0
        for leave in nodes(scene, ast.Return):
            if leave.value is not None and scene.text(leave.value).startswith(f"{node.name}("):
                yield scene.swap(leave.value, node.name), leave.lineno - 1, 1.2
    for decorator in function.decorator_list:
        text = scene.text(decorator)
        for one, other in (
            ("cached_property", "property"),
            ("property", "cached_property"),
            ("staticmethod", "classmethod"),
            ("classmethod", "staticmethod"),
        ):
            if text.rsplit(".", 1)[-1] == one:
                yield scene.swap(decorator, f"functools.{other}" if other == "cached_property" else other), decorator.lineno - 1, 0.7
    yields = [*nodes(scene, ast.Yield), *nodes(scene, ast.YieldFrom)]
    if yields and not any("contextmanager" in scene.text(each) for each in function.decorator_list):
        name = "asynccontextmanager" if isinstance(function, ast.AsyncFunctionDef) else "contextmanager"
        yield (
            f"@contextlib.{name}\n{scene.source}",
            function.lineno - 1,
            1.5 if "context manager" in scene.said or "__enter__" in scene.said else 0.3,
        )
