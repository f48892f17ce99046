"""What is not there: a statement or a clause, made from those that stand near."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from suture_agent.direct.templates.scene import Found, Scene, bodies, first, local_names, nodes, within
from suture_sandbox.text import lines_with_ends

_LOOPS = (ast.For, ast.While, ast.AsyncFor)
_MOST_CLAUSES = 8


def left_over(scene: Scene) -> Found:
    """What a loop collects and hands on at each border is handed on once more after the loop."""
    for body in bodies(scene.tree):
        for loop in body:
            if not isinstance(loop, _LOOPS):
                continue
            for node in _expressions(loop):
                call = node.value
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "add", "extend"):
                    text, given = scene.text(node), next(iter(call.args), None)
                    names = [each.id for each in ast.walk(given) if isinstance(each, ast.Name)] if given is not None else []
                    for name in dict.fromkeys(names):
                        yield _after(scene, loop, f"if {name}:\n    {text}"), node.lineno - 1, 0.7
                    yield _after(scene, loop, text), node.lineno - 1, 0.6
                elif isinstance(call, ast.Yield) and isinstance(call.value, ast.Name):
                    yield _after(scene, loop, f"if {call.value.id}:\n    {scene.text(node)}"), node.lineno - 1, 0.7
                    yield _after(scene, loop, scene.text(node)), node.lineno - 1, 0.5


def counted(scene: Scene) -> Found:
    """A loop's condition that nothing in it changes; a variable that is set once and should start anew in each round, or only once."""
    for turning in nodes(scene, ast.While):
        for name in dict.fromkeys(each.id for each in within(turning.test, ast.Name)):
            for step in (f"{name} += 1", f"{name} -= 1", f"{name} //= 2"):
                yield _last_in(scene, turning.body, step), turning.lineno - 1, 0.5
    for body in bodies(scene.tree):
        for at, loop in enumerate(body):
            if isinstance(loop, _LOOPS):
                yield from _anew(scene, loop, body[:at])
                for fixed in [each for each in loop.body if isinstance(each, ast.Assign) and _starts(each)]:
                    yield _moved_before(scene, fixed, loop), fixed.lineno - 1, 0.6


def _anew(scene: Scene, loop: ast.For | ast.While | ast.AsyncFor, before: list[ast.stmt]) -> Found:
    """What is set before a loop is set again in it: at its start, or at the end of one of its branches."""
    for given in before:
        if isinstance(given, ast.Assign) and isinstance(given.targets[0], ast.Name) and _starts(given):
            text, line = scene.text(given), given.lineno - 1
            yield scene.insert(first(loop.body[0]), text, like=loop.body[0].lineno - 1), line, 0.5
            for inner in bodies(loop):
                if inner is not loop.body:
                    yield _last_in(scene, inner, text), line, 0.5


def _starts(given: ast.Assign) -> bool:
    return isinstance(given.value, ast.Constant | ast.List | ast.Dict | ast.Set | ast.Call)


def stored(scene: Scene) -> Found:
    """An argument that the object should keep, under its name or with an underscore."""
    function = scene.function
    if function is None or "." not in scene.unit.name or not scene.body:
        return
    starting = function.name in ("__init__", "__post_init__", "__enter__")
    for name in scene.parameters:
        for field in (name, f"_{name}"):
            wanted = f"'{field}'" in scene.said and "no attribute" in scene.said
            if f"self.{field} =" not in scene.source and (starting or wanted):
                yield _last_in(scene, function.body, f"self.{field} = {name}"), function.lineno - 1, 1.5 if wanted else 0.4


def remembered(scene: Scene) -> Found:
    """What is asked for and never noted: `seen.add(x)` after `if x in seen`, a result that is kept before it is given."""
    for node in nodes(scene, ast.Compare):
        if len(node.ops) != 1 or not isinstance(node.ops[0], ast.In | ast.NotIn):
            continue
        element, holder = scene.text(node.left), scene.text(node.comparators[0])
        if any(f"{holder}.{method}(" in scene.source for method in ("add", "append")) or not holder.replace(".", "_").isidentifier():
            continue
        for body in bodies(scene.tree):
            for at, branch in enumerate(body):
                if isinstance(branch, ast.If | ast.While) and any(each is node for each in ast.walk(branch.test)):
                    for method in ("add", "append"):
                        note = f"{holder}.{method}({element})"
                        yield _after(scene, body[at], note), node.lineno - 1, 0.6
                        yield scene.insert(first(branch.body[0]), note, like=branch.body[0].lineno - 1), node.lineno - 1, 0.6
        for leave in nodes(scene, ast.Return):
            if leave.value is not None and f"{holder}[" in scene.source:
                kept = f"{holder}[{element}] = {scene.text(leave.value)}\n{' ' * leave.col_offset}return {holder}[{element}]"
                yield scene.swap(leave, kept), leave.lineno - 1, 0.6


def stopped(scene: Scene) -> Found:
    """A search that goes on after it has found."""
    loops: list[ast.For | ast.While] = [*nodes(scene, ast.For), *nodes(scene, ast.While)]
    for loop in loops:
        for branch in [each for each in ast.walk(loop) if isinstance(each, ast.If)]:
            if not isinstance(branch.body[-1], ast.Break | ast.Continue | ast.Return | ast.Raise):
                yield _last_in(scene, branch.body, "break"), branch.lineno - 1, 0.5
                yield _last_in(scene, branch.body, "continue"), branch.lineno - 1, 0.4
        if not isinstance(loop.body[-1], ast.Break | ast.Return | ast.Raise):
            yield _last_in(scene, loop.body, "break"), loop.lineno - 1, 0.25


def mirrored(scene: Scene) -> Found:
    """In a class: what one method notes about the object, and another one forgets."""
    owner = scene.owner
    if owner is None:
        return
    methods = [each for each in owner.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    notes: dict[str, ast.AST] = {}
    for method in methods:
        for node in ast.walk(method):
            if isinstance(node, ast.AugAssign) and scene.text(node.target).startswith("self.") and isinstance(node.op, ast.Add | ast.Sub):
                other = "-=" if isinstance(node.op, ast.Add) else "+="
                notes.setdefault(f"{scene.text(node.target)} {other} {scene.text(node.value)}", method)
                notes.setdefault(scene.text(node), method)
            elif isinstance(node, ast.Assign | ast.Expr) and scene.text(node).startswith("self.") and _plain(node):
                notes.setdefault(scene.text(node), method)
    for note, home in list(notes.items())[:12]:
        for method in methods:
            if method is not home and method.name != "__init__" and note not in scene.text(method):
                yield _last_in(scene, method.body, note), method.lineno - 1, 0.4
                start = method.body[0]
                yield scene.insert(first(start), note, like=start.lineno - 1), method.lineno - 1, 0.35


def _plain(node: ast.Assign | ast.Expr) -> bool:
    """Whether a statement can stand elsewhere: a call, or an assignment of a constant or of something empty."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Call)
    return isinstance(node.value, ast.Constant) or ast.unparse(node.value) in ("[]", "{}")


def clauses(scene: Scene) -> Found:
    """A condition that asks for too little, or for too much: joined with another one of the function, or one side of it alone."""
    tests = list(_tests(scene))
    known = dict.fromkeys(scene.text(part) for test in tests for part in _parts(test))
    local = [name for name in local_names(scene) if name not in ("self", "cls")]
    for test in tests:
        text, line = scene.text(test), test.lineno - 1
        inner = f"({text})" if isinstance(test, ast.BoolOp | ast.IfExp) else text
        indices = [f"{scene.text(each.slice)} < len({scene.text(each.value)})" for each in within(test, ast.Subscript)]
        names = {each.id for each in within(test, ast.Name)} & {*local}
        extra = [*indices, *names, *(f"{name} is not None" for name in names), *(each for each in known if each not in text)]
        for other in list(dict.fromkeys(extra))[:_MOST_CLAUSES]:
            for joined in (f"{other} and {inner}", f"{inner} and {other}", f"{inner} and not {other}", f"{inner} or {other}"):
                yield scene.swap(test, joined), line, 0.35
        if isinstance(test, ast.BoolOp):
            for at in range(len(test.values)):
                word = " and " if isinstance(test.op, ast.And) else " or "
                kept = word.join(scene.text(each) for index, each in enumerate(test.values) if index != at)
                yield scene.swap(test, kept), line, 0.5


def _parts(test: ast.expr) -> list[ast.expr]:
    return test.values if isinstance(test, ast.BoolOp) else [test]


def _tests(scene: Scene) -> Iterator[ast.expr]:
    for branch in nodes(scene, ast.If):
        yield branch.test
    for loop in nodes(scene, ast.While):
        yield loop.test
    for choice in nodes(scene, ast.IfExp):
        yield choice.test
    for over in nodes(scene, ast.comprehension):
        yield from over.ifs
    for leave in nodes(scene, ast.Return):
        if isinstance(leave.value, ast.Compare | ast.BoolOp):
            yield leave.value


def in_order(scene: Scene) -> Found:
    """Arguments that are taken to be in order, without repeats, or clean."""
    for name in scene.parameters if scene.body else ():
        for made in (
            f"sorted({name})",
            f"list(dict.fromkeys({name}))",
            f"{name}.strip()",
            f"{name}.lower()",
            f"set({name})",
            f"abs({name})",
        ):
            start = scene.body[0]
            yield scene.insert(first(start), f"{name} = {made}", like=start.lineno - 1), start.lineno - 1, 0.3


def _expressions(loop: ast.AST) -> list[ast.Expr]:
    return within(loop, ast.Expr)


def _after(scene: Scene, node: ast.stmt, text: str) -> str:
    """The source with lines after a statement, at its depth."""
    lines, indent = lines_with_ends(scene.source), " " * node.col_offset
    end = node.end_lineno or node.lineno
    made = "".join(f"{indent}{each}\n" for each in text.splitlines())
    return "".join([*lines[:end], made, *lines[end:]])


def _last_in(scene: Scene, body: list[ast.stmt], text: str) -> str:
    """The source with a statement at the end of a block, before what leaves it."""
    last = body[-1]
    if isinstance(last, ast.Return | ast.Break | ast.Continue | ast.Raise):
        return scene.insert(first(last), text, like=last.lineno - 1)
    return _after(scene, last, text)


def _moved_before(scene: Scene, node: ast.stmt, loop: ast.stmt) -> str:
    """The source with a statement of a loop moved before it."""
    lines = lines_with_ends(scene.source)
    start, end, depth = first(node), node.end_lineno or node.lineno, node.col_offset - loop.col_offset
    moved = [line[depth:] for line in lines[start:end]]
    return "".join([*lines[: first(loop)], *moved, *lines[first(loop) : start], *lines[end:]])
