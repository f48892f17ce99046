"""A statement too many, missing, in the wrong place or at the wrong depth; a wrong exception."""

from __future__ import annotations

import ast
import itertools
import textwrap

from suture_agent.direct.templates.scene import Found, Scene, bodies, first, is_docstring, local_names, nodes
from suture_sandbox.text import lines_with_ends

_EMPTY = ("[]", "{}", "set()", "()", '""', "0", "None", "False", "True", "1", "0.0")


def exceptions(scene: Scene) -> Found:
    """Another exception, of those that the tests expect or show."""
    for node in nodes(scene, ast.ExceptHandler):
        if node.type is not None:
            caught = scene.text(node.type)
            for other in scene.raised:
                if other not in caught:
                    yield scene.swap(node.type, other), node.lineno - 1, 0.8
                    yield scene.swap(node.type, f"({caught.strip('()')}, {other})"), node.lineno - 1, 0.9
    for thrown in nodes(scene, ast.Raise):
        called = thrown.exc.func if isinstance(thrown.exc, ast.Call) else thrown.exc
        if called is not None:
            for other in scene.raised:
                if other != scene.text(called):
                    yield scene.swap(called, other), thrown.lineno - 1, 1.0


def statements(scene: Scene) -> Found:
    """A statement too many, in the wrong place, or at the wrong depth."""
    lines = lines_with_ends(scene.source)
    for body in bodies(scene.tree):
        for index, node in enumerate(body):
            start, end = first(node), node.end_lineno or node.lineno
            if len(body) > 1 and not is_docstring(node):
                yield "".join(lines[:start] + lines[end:]), start, 0.35
            if index + 1 < len(body) and not is_docstring(node):
                following = body[index + 1]
                last = following.end_lineno or following.lineno
                yield "".join([*lines[:start], *lines[first(following) : last], *lines[start:end], *lines[last:]]), start, 0.5
        last_node = body[-1]
        if isinstance(last_node, ast.Return | ast.Expr | ast.Assign | ast.AugAssign) and last_node.col_offset >= 8:
            start, end = last_node.lineno - 1, last_node.end_lineno or last_node.lineno
            moved = [line.removeprefix("    ") for line in lines[start:end]]
            yield "".join(lines[:start] + moved + lines[end:]), start, 0.8
    for node in nodes(scene, ast.Continue):
        yield scene.swap(node, "break"), node.lineno - 1, 0.5
    for node in nodes(scene, ast.Break):
        yield scene.swap(node, "continue"), node.lineno - 1, 0.5
    for node in nodes(scene, ast.Expr):
        if isinstance(node.value, ast.Call):
            yield scene.swap(node, f"return {scene.text(node)}"), node.lineno - 1, 0.4


def cleanup(scene: Scene) -> Found:
    """What follows a yield happens also when the block raises: `try: yield ... finally: ...`."""
    function = scene.tree.body[0]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or not any(
        "contextmanager" in scene.text(each) for each in function.decorator_list
    ):
        return
    lines = lines_with_ends(scene.source)
    for index, node in enumerate(function.body):
        if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Yield) and index + 1 < len(function.body):
            at, end = node.lineno - 1, node.end_lineno or node.lineno
            indent = " " * node.col_offset
            kept, after = textwrap.indent("".join(lines[at:end]), "    "), textwrap.indent("".join(lines[end:]), "    ")
            yield "".join(lines[:at]) + f"{indent}try:\n{kept}{indent}finally:\n{after}", at, 2.0


def guards(scene: Scene) -> Found:
    """A base case at the beginning: nothing to work on gives an empty result."""
    function = scene.tree.body[0]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    body = function.body[1:] if is_docstring(function.body[0]) and len(function.body) > 1 else function.body
    lines = lines_with_ends(scene.source)
    at = body[0].lineno - 1
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    for argument in [each.arg for each in function.args.args if each.arg not in ("self", "cls")][:3]:
        for condition in (f"not {argument}", f"{argument} is None"):
            for empty in _EMPTY:
                made = f"{indent}if {condition}:\n{indent}    return {empty}\n"
                yield "".join(lines[:at]) + made + "".join(lines[at:]), at, 0.3
        for error in scene.raised:
            made = f'{indent}if not {argument}:\n{indent}    raise {error}("{argument} is empty")\n'
            yield "".join(lines[:at]) + made + "".join(lines[at:]), at, 0.25


def defaults(scene: Scene) -> Found:
    """Nothing where something was expected: `x or []`, a value only when there is one."""
    for node in [*nodes(scene, ast.Name), *nodes(scene, ast.Attribute), *nodes(scene, ast.Call)]:
        if isinstance(node, ast.Name | ast.Attribute) and not isinstance(node.ctx, ast.Load):
            continue
        text, line = scene.text(node), node.lineno - 1
        if "None" in scene.said and text and text not in ("self", "cls"):
            for empty in ("[]", '""', "0", "{}", "()"):
                yield scene.swap(node, f"({text} or {empty})"), line, 1.2 if "iterable" in scene.said and empty in ("[]", "()") else 0.5
    if "None" not in scene.said:
        return
    for leave in nodes(scene, ast.Return):
        value = leave.value
        owners = [each.value for each in ast.walk(value) if isinstance(each, ast.Attribute | ast.Subscript)] if value is not None else []
        for owner in owners[:3]:
            text = scene.text(owner)
            for empty in _EMPTY[:7]:
                yield scene.swap(leave, f"return {scene.text(value or leave)} if {text} is not None else {empty}"), leave.lineno - 1, 0.8


def checks_before(scene: Scene) -> Found:
    """A check before a statement: leave, go on or raise when a value is missing, empty or out of bounds."""
    local = set(local_names(scene)) - {"self", "cls"}
    loops = {id(inner) for loop in [*nodes(scene, ast.For), *nodes(scene, ast.While)] for inner in ast.walk(loop)}
    for body in bodies(scene.tree):
        for node in body:
            if is_docstring(node) or isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef | ast.Import | ast.ImportFrom):
                continue
            head: list[ast.expr] = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
            used = [each for part in head for each in ast.walk(part) if isinstance(each, ast.Name | ast.Attribute)]
            texts = dict.fromkeys(
                scene.text(each)
                for each in used
                if (each.id in local if isinstance(each, ast.Name) else scene.text(each).startswith("self."))
            )
            near = 1.3 if scene.pointed == node.lineno - 1 else 1.0
            for text in list(texts)[:4]:
                for condition in (f"{text} is None", f"not {text}"):
                    leave = ["return None", "return"] + (["continue", "break"] if id(node) in loops else [])
                    leave += [f"return {empty}" for empty in ("[]", "0", '""', "False", "{}")]
                    for action in leave:
                        if action == "return":
                            continue
                        yield scene.insert(first(node), f"if {condition}:\n    {action}"), node.lineno - 1, 0.3 * near
    for node in nodes(scene, ast.Return):
        for name in sorted(local):
            if node.value is not None and scene.text(node.value) != name:
                yield scene.swap(node, f"return {name}"), node.lineno - 1, 0.25


def base_cases(scene: Scene) -> Found:
    """A base case of a recursion or of a failure at the bounds, an argument that is refused.

    Only there: anywhere else `if n == 1: return 1` mends the one test that asks for it and nothing more.
    """
    likely = {"RecursionError": 0.9, "ZeroDivisionError": 0.8, "IndexError": 0.6, "ValueError": 0.45, "StopIteration": 0.6}
    weight = max((likely.get(name, 0.3) for name in scene.raised), default=0.3)
    errors = [name for name in scene.raised if name not in ("RecursionError", "AssertionError", "StopIteration")]
    functions: list[ast.FunctionDef | ast.AsyncFunctionDef] = [*nodes(scene, ast.FunctionDef), *nodes(scene, ast.AsyncFunctionDef)]
    for function in functions:
        body = function.body[1:] if is_docstring(function.body[0]) and len(function.body) > 1 else function.body
        if body[0].lineno == function.lineno:
            continue
        at = first(body[0])
        recursive = any(isinstance(node, ast.Call) and scene.text(node.func).endswith(function.name) for node in ast.walk(function))
        names = [each.arg for each in function.args.args if each.arg not in ("self", "cls")][:4]
        for name in names:
            conditions = (f"{name} == 0", f"{name} <= 0", f"{name} < 0", f"{name} <= 1", f"{name} == 1", f"len({name}) <= 1", f"not {name}")
            outcomes = ["0", "1", "[]", "None", "False", "True", name, f"[{name}]", "[[]]", '""', "{}", "0.0"]
            outcomes += [other for other in names if other != name]
            for condition in conditions if recursive or weight > 0.5 else ():
                for outcome in outcomes:
                    likelier = 1.5 if recursive and outcome in ("0", "1", "[]", name) else 1.0
                    yield scene.insert(at, f"if {condition}:\n    return {outcome}", like=body[0].lineno - 1), at, weight * likelier
            for error in errors:
                for condition in (f"{name} < 0", f"{name} <= 0", f"{name} is None", f"not {name}.strip()", f"not isinstance({name}, int)"):
                    made = f'if {condition}:\n    raise {error}(f"invalid {name}: {{{name}!r}}")'
                    yield scene.insert(at, made, like=body[0].lineno - 1), at, 0.4


_RAISED_BY = {"__getattr__": "AttributeError", "__delattr__": "AttributeError", "__next__": "StopIteration", "__missing__": "KeyError"}
"""Special methods -> the exception that says that there is nothing."""


def converted(scene: Scene) -> Found:
    """An exception of a lower layer is turned into the one that callers expect."""
    body = scene.body
    wanted = [name for name in scene.raised if name not in ("AssertionError", "RecursionError")]
    owed = _RAISED_BY.get(scene.unit.name.rsplit(".", 1)[-1])
    wanted += [owed] if owed and owed not in wanted else []
    if not body or not wanted:
        return
    lines = lines_with_ends(scene.source)
    shown = [name for name in wanted if name in ("KeyError", "ValueError", "IndexError", "TypeError", "AttributeError", "OSError")]
    shown += [name for name in wanted if name.endswith("Error") and name not in shown]
    for statements in bodies(scene.tree):
        for node in statements:
            if is_docstring(node) or isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef):
                continue
            near = scene.pointed is None or first(node) <= scene.pointed < (node.end_lineno or node.lineno)
            start, end = first(node), node.end_lineno or node.lineno
            indent = " " * node.col_offset
            kept = textwrap.indent("".join(lines[start:end]), "    ")
            for caught in shown:
                for other in wanted:
                    if other != caught:
                        made = f"{indent}try:\n{kept}{indent}except {caught} as error:\n{indent}    raise {other}(str(error)) from error\n"
                        yield "".join([*lines[:start], made, *lines[end:]]), start, 1.0 if near else 0.4
                for empty in ("None", "[]", "0", "False", '""', "{}"):
                    made = f"{indent}try:\n{kept}{indent}except {caught}:\n{indent}    return {empty}\n"
                    yield "".join([*lines[:start], made, *lines[end:]]), start, 0.3 if near else 0.1


def leaving(scene: Scene) -> Found:
    """A result that is never returned; a return that comes too early."""
    body = scene.body
    if body and not isinstance(body[-1], ast.Return | ast.Raise):
        end = body[-1].end_lineno or body[-1].lineno
        indent = " " * body[-1].col_offset
        lines = lines_with_ends(scene.source)
        names = [node.id for node in nodes(scene, ast.Name) if isinstance(node.ctx, ast.Store)]
        entering = ["self"] if scene.unit.name.endswith(("__enter__", "__aenter__", "__iter__", "__aiter__")) else []
        for name in dict.fromkeys([*entering, *reversed(names), *scene.parameters, "None", "False", "True", "self", "[]", "0"]):
            if name != "self" or "." in scene.unit.name:
                made = f"{indent}return {name}\n"
                yield "".join([*lines[:end], made, *lines[end:]]), end - 1, 0.6 if "None" in scene.said else 0.35
        last = body[-1]
        if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Yield | ast.YieldFrom | ast.Await):
            yield scene.swap(last, f"return {scene.text(last)}"), last.lineno - 1, 1.0
    for statements in bodies(scene.tree):
        for index, node in enumerate(statements[:-1]):
            inner = getattr(node, "body", None)
            following = statements[index + 1]
            if isinstance(node, ast.For | ast.While | ast.If | ast.With) and isinstance(inner, list) and not is_docstring(following):
                lines = lines_with_ends(scene.source)
                start, end = first(following), following.end_lineno or following.lineno
                deeper = textwrap.indent("".join(lines[start:end]), "    ")
                yield "".join([*lines[:start], deeper, *lines[end:]]), start, 0.5


def binding(scene: Scene) -> Found:
    """A name of an outer scope that a function assigns."""
    body = scene.body
    if body and "local variable" in scene.said:
        for name in dict.fromkeys(node.id for node in nodes(scene, ast.Name) if isinstance(node.ctx, ast.Store)):
            yield scene.insert(first(body[0]), f"global {name}", like=body[0].lineno - 1), body[0].lineno - 1, 0.8
    for inner in nodes(scene, ast.FunctionDef):
        if inner is not scene.function and inner.body and inner.body[0].lineno != inner.lineno:
            stored = {
                node.id for part in inner.body for node in ast.walk(part) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
            for name in sorted(stored):
                yield scene.insert(first(inner.body[0]), f"nonlocal {name}", like=inner.body[0].lineno - 1), inner.lineno - 1, 0.8


def words(scene: Scene) -> Found:
    """A word that is missing before a statement: `raise`, `yield from`, `elif`, a `return self` at the end."""
    lines = lines_with_ends(scene.source)
    yields = [*nodes(scene, ast.Yield), *nodes(scene, ast.YieldFrom)]
    for node in nodes(scene, ast.Expr):
        if isinstance(node.value, ast.Call):
            name = scene.text(node.value.func).rsplit(".", 1)[-1]
            if name.endswith(("Error", "Exception")) or name in scene.raised:
                yield scene.swap(node, f"raise {scene.text(node)}"), node.lineno - 1, 1.5
            if yields:
                yield scene.swap(node, f"yield from {scene.text(node)}"), node.lineno - 1, 0.7
    for made in nodes(scene, ast.Yield):
        if isinstance(made.value, ast.Call | ast.Name):
            yield scene.swap(made, f"yield from {scene.text(made.value)}"), made.lineno - 1, 0.7
    for body in bodies(scene.tree):
        for before, after in itertools.pairwise(body):
            if isinstance(before, ast.If) and isinstance(after, ast.If) and not before.orelse:
                at = after.lineno - 1
                changed = lines[at].replace("if ", "elif ", 1)
                yield "".join([*lines[:at], changed, *lines[at + 1 :]]), at, 0.8
    function = scene.function
    if function is not None and "." in scene.unit.name and not nodes(scene, ast.Return) and not yields:
        end, indent = function.body[-1].end_lineno or function.body[-1].lineno, " " * function.body[-1].col_offset
        yield "".join([*lines[:end], f"{indent}return self\n", *lines[end:]]), end - 1, 0.5 if "None" in scene.said else 0.25


_ENDINGS = frozenset({
    "close", "release", "rollback", "stop", "disconnect", "unlock", "reset", "cleanup", "restore", "pop", "unlink", "rmtree", "chdir",
    "clear", "shutdown", "cancel", "exit", "end", "finish", "remove", "discard", "leave",
})  # fmt: skip


def afterwards(scene: Scene) -> Found:
    """What must happen at the end even when something before it raises."""
    lines = lines_with_ends(scene.source)
    for body in bodies(scene.tree):
        for index, node in enumerate(body):
            if not _ends_something(scene, node):
                continue
            end, last, indent = first(node), node.end_lineno or node.lineno, " " * node.col_offset
            ending = f"{indent}finally:\n{textwrap.indent(''.join(lines[end:last]), '    ')}"
            following = body[index + 1] if index + 1 < len(body) else None
            spans = [(first(body[start]), last) for start in range(max(0, index - 2), index)]
            if isinstance(following, ast.Return) and index > 0:
                spans.append((first(body[index - 1]), following.end_lineno or following.lineno))
            for at, stop in spans:
                inner = textwrap.indent("".join([*lines[at:end], *lines[last:stop]]), "    ")
                yield "".join([*lines[:at], f"{indent}try:\n{inner}{ending}", *lines[stop:]]), at, 0.6


def _ends_something(scene: Scene, node: ast.stmt) -> bool:
    """Whether a statement closes something, or gives an attribute of the object another value."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return scene.text(node.value.func).rsplit(".", 1)[-1].lstrip("_") in _ENDINGS
    return isinstance(node, ast.Assign | ast.AugAssign) and "self." in scene.text(node).split("=")[0]
