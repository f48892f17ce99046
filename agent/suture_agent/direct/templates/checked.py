"""What a type checker says: a type that is promised and not kept, a value that may be missing, an annotation that is not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from suture_agent.direct.templates.scene import SURE, Found, Scene, nodes

_RETURNED = re.compile(
    r"[Ii]ncompatible return value type \(got \"(?P<got>[^\"]+)\", expected \"(?P<expected>[^\"]+)\"\)"
    r"|Type \"(?P<type>[^\"]+)\" is not assignable to return type \"(?P<wanted>[^\"]+)\""
)
_GIVEN = re.compile(
    r"[Aa]rgument (?:\d+|\"\w+\") .*incompatible type \"[^\"]+\"; expected \"(?P<expected>[^\"]+)\""
    r"|\"[^\"]+\" is not assignable to (?:parameter \"\w+\" of type )?\"(?P<wanted>[^\"]+)\""
)
_ASSIGNED = re.compile(r"expression has type \"(?P<got>[^\"]+)\", variable has type \"(?P<expected>[^\"]+)\"")
_HINT = re.compile(r"hint: \"(?P<name>\w+): (?P<kind>\w+)\[")


def returned(scene: Scene) -> Found:
    """The type that is returned and the one that is promised, brought in line."""
    function, found = scene.function, _RETURNED.search(scene.said)
    if function is None or found is None:
        return
    got, expected = found["got"] or found["type"], found["expected"] or found["wanted"]
    if function.returns is not None:
        promised, new = scene.text(function.returns), _plain(got)
        if new == "None":
            yield scene.swap(function.returns, f"{promised} | None"), _at(scene), 1.6
        elif new != promised:
            yield scene.swap(function.returns, new), _at(scene), 1.6
            if "None" in got:
                yield scene.swap(function.returns, f"{promised} | None"), _at(scene), 1.4
    yield from _conversions(scene, _plain(expected), [node.value for node in nodes(scene, ast.Return) if node.value is not None])


def given(scene: Scene) -> Found:
    """An argument or an assigned value of another type than the one that is declared."""
    argument, assigned = _GIVEN.search(scene.said), _ASSIGNED.search(scene.said)
    if argument is not None:
        values = [value for node in nodes(scene, ast.Call) for value in [*node.args, *(each.value for each in node.keywords)]]
        yield from _conversions(scene, _plain(argument["expected"] or argument["wanted"]), values)
    if assigned is not None:
        for node in nodes(scene, ast.AnnAssign):
            kind = f"{scene.text(node.annotation)} | None" if assigned["got"] == "None" else _plain(assigned["got"])
            yield scene.swap(node.annotation, kind), node.lineno - 1, 1.5
        yield from _conversions(scene, _plain(assigned["expected"]), [node.value for node in nodes(scene, ast.Assign)])


def renamed(scene: Scene) -> Found:
    """A name that is given a value of another type: from there on another name."""
    if _ASSIGNED.search(scene.said) is None or scene.pointed is None:
        return
    for node in nodes(scene, ast.Assign):
        target = node.targets[0]
        if not isinstance(target, ast.Name) or node.lineno - 1 != scene.pointed or len(node.targets) > 1:
            continue
        calls = [each for each in ast.walk(node.value) if isinstance(each, ast.Call)]
        kinds = [scene.text(call.func).rsplit(".", 1)[-1] for call in calls]
        taken = {each.id for each in nodes(scene, ast.Name)} | {each.arg for each in nodes(scene, ast.arg)}
        after = [each for each in nodes(scene, ast.Name) if each.id == target.id and each.lineno > (node.end_lineno or node.lineno)]
        for name in dict.fromkeys([*(kind.lower() for kind in kinds if kind[:1].isupper()), f"{target.id}_value", f"new_{target.id}"]):
            if name not in taken:
                yield scene.swap_all([(target, name), *((each, name) for each in after)]), node.lineno - 1, 1.6


def generated(scene: Scene) -> Found:
    """A generator that promises what it yields."""
    function = scene.function
    if function is None or function.returns is None or "generator" not in scene.said.lower():
        return
    kind = "AsyncIterator" if isinstance(function, ast.AsyncFunctionDef) else "Iterator"
    yield scene.swap(function.returns, f"{kind}[{scene.text(function.returns)}]"), _at(scene), SURE


def annotated(scene: Scene) -> Found:
    """An annotation that is missing or too narrow."""
    function, hint = scene.function, _HINT.search(scene.said)
    for node in nodes(scene, ast.Assign) if hint is not None else ():
        if hint is not None and scene.text(node.targets[0]) == hint["name"]:
            kind = hint["kind"].lower()
            for element in ("str", "int", "Any"):
                inner = f"str, {element}" if kind == "dict" else element
                yield scene.swap(node.targets[0], f"{hint['name']}: {kind}[{inner}]"), node.lineno - 1, 1.2
    if function is None:
        return
    if "missing a return type annotation" in scene.said and function.returns is None:
        lines = scene.source.splitlines(keepends=True)
        at = function.body[0].lineno - 2
        for kind in ("None", "str", "int", "bool"):
            if at >= 0 and re.search(r"\)\s*:\s*$", lines[at]):
                changed = re.sub(r"\)\s*:\s*$", f") -> {kind}:\n", lines[at])
                yield "".join([*lines[:at], changed, *lines[at + 1 :]]), _at(scene), 1.0
    if 'default has type "None"' in scene.said:
        for parameter in [*function.args.args, *function.args.kwonlyargs]:
            if parameter.annotation is not None and f'"{parameter.arg}"' in scene.said:
                yield scene.swap(parameter.annotation, f"{scene.text(parameter.annotation)} | None"), _at(scene), SURE


def unreturned(scene: Scene) -> Found:
    """`Missing return statement`: what was computed, or nothing of the promised type."""
    function = scene.function
    if function is None or "issing return statement" not in scene.said:
        return
    lines = scene.source.splitlines(keepends=True)
    end = function.body[-1].end_lineno or function.body[-1].lineno
    promised = scene.text(function.returns) if function.returns is not None else ""
    empties = {"str": '""', "int": "0", "float": "0.0", "bool": "False", "bytes": 'b""', "list": "[]", "dict": "{}", "tuple": "()"}
    stored = [node.id for node in nodes(scene, ast.Name) if isinstance(node.ctx, ast.Store)]
    for value in dict.fromkeys([*reversed(stored), empties.get(promised.split("[")[0], "None")]):
        yield "".join([*lines[:end], f"{' ' * function.body[-1].col_offset}return {value}\n", *lines[end:]]), _at(scene), 1.2


_LEAVE = ("return None", 'return ""', "return 0", "return []", "return False", 'raise ValueError("{} is missing")', "continue")


def missing_values(scene: Scene) -> Found:
    """A type checker or a traceback says that something may be None: the case is left out first."""
    if "None" not in scene.said or scene.pointed is None:
        return
    compound = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for statement in nodes(scene, ast.stmt):
        at = statement.lineno - 1
        if isinstance(statement, compound) or not at <= scene.pointed < (statement.end_lineno or statement.lineno):
            continue
        owners = [node.value for node in ast.walk(statement) if isinstance(node, ast.Attribute | ast.Subscript)]
        for text in dict.fromkeys(scene.text(owner) for owner in owners[:3]):
            for leave in _LEAVE if text not in ("", "self") else ():
                yield scene.insert(at, f"if {text} is None:\n    {leave.format(text.rsplit('.', 1)[-1])}"), at, 1.0


def _at(scene: Scene) -> int:
    return scene.pointed or 0


def _plain(kind: str) -> str:
    """A type as an annotation: mypy writes `builtins.int` and `list[str]`, pyright `Literal['x']`."""
    kind = re.sub(r"\b(?:builtins|typing|collections\.abc)\.", "", kind)
    literal = re.fullmatch(r"Literal\[(.+)\]\??", kind)
    if literal:
        return "str" if literal[1][:1] in "'\"" else "bool" if literal[1] in ("True", "False") else "int"
    return kind.rstrip("?*")


def _conversions(scene: Scene, expected: str, values: Iterable[ast.expr]) -> Found:
    wrap = {"str": "str({})", "int": "int({})", "float": "float({})", "bytes": "{}.encode()", "bool": "bool({})"}.get(expected)
    wraps = [wrap] if wrap else []
    for name, made in (("list", "list({})"), ("tuple", "tuple({})"), ("set", "set({})"), ("dict", "dict({})"), ("Path", "Path({})")):
        if expected.startswith(name):
            wraps.append(made)
    for node in values:
        if scene.pointed is not None and not node.lineno - 1 <= scene.pointed < (node.end_lineno or node.lineno):
            continue
        for each in wraps:
            yield scene.swap(node, each.format(scene.text(node))), node.lineno - 1, 1.4
        if expected == "str":
            yield scene.swap(node, f'{scene.text(node)} or ""'), node.lineno - 1, 0.9
