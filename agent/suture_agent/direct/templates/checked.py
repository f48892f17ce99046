"""What a type checker says: a type that is promised and not kept, a value that may be missing, an annotation that is not there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from suture_agent.direct.templates.scene import SURE, Found, Scene, nodes
from suture_sandbox.text import lines_with_ends

_RETURNED = re.compile(
    r"[Ii]ncompatible return value type \(got \"(?P<got>[^\"]+)\", expected \"(?P<expected>[^\"]+)\"\)"
    r"|Type \"(?P<type>[^\"]+)\" is not assignable to return type \"(?P<wanted>[^\"]+)\""
)
_GIVEN = re.compile(
    r"[Aa]rgument (?:\d+|\"\w+\") .*incompatible type \"[^\"]+\"; expected \"(?P<expected>[^\"]+)\""
    r"|\"[^\"]+\" is not assignable to (?:parameter \"\w+\" of type )?\"(?P<wanted>[^\"]+)\""
)
_ASSIGNED = re.compile(
    r"(?:expression has t|T)ype \"(?P<got>[^\"]+)\"(?:, variable has type| is not assignable to declared type) \"(?P<expected>[^\"]+)\""
)
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
        lines = lines_with_ends(scene.source)
        at = function.body[0].lineno - 2
        for kind in ("None", "str", "int", "bool"):
            if at >= 0 and re.search(r"\)\s*:\s*$", lines[at]):
                changed = re.sub(r"\)\s*:\s*$", f") -> {kind}:\n", lines[at])
                yield "".join([*lines[:at], changed, *lines[at + 1 :]]), _at(scene), 1.0
    if re.search('default has type "None"|"None" cannot be assigned to parameter', scene.said):
        for parameter in _none_by_default(function):
            if parameter.annotation is not None:
                yield scene.swap(parameter.annotation, f"{scene.text(parameter.annotation)} | None"), _at(scene), SURE


def _none_by_default(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    """The parameters whose default is None."""
    plain = [*function.args.posonlyargs, *function.args.args]
    pairs: list[tuple[ast.arg, ast.expr | None]] = [*zip(reversed(plain), reversed(function.args.defaults), strict=False)]
    pairs += zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True)
    return [parameter for parameter, default in pairs if isinstance(default, ast.Constant) and default.value is None]


def unreturned(scene: Scene) -> Found:
    """`Missing return statement`: what was computed, or nothing of the promised type."""
    function = scene.function
    if function is None or not re.search("issing return statement|must return value", scene.said):
        return
    lines = lines_with_ends(scene.source)
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


_GENERIC = {
    "dict": ("dict[str, Any]", "dict[str, str]", "dict[str, int]"), "list": ("list[Any]", "list[str]", "list[int]"),
    "set": ("set[Any]", "set[str]", "set[int]"), "frozenset": ("frozenset[Any]",), "tuple": ("tuple[Any, ...]",),
    "Callable": ("Callable[..., Any]",), "type": ("type[Any]",), "Mapping": ("Mapping[str, Any]",), "deque": ("deque[Any]",),
    "Counter": ("Counter[str]",), "defaultdict": ("defaultdict[str, Any]",), "OrderedDict": ("OrderedDict[str, Any]",),
}  # fmt: skip


def untyped(scene: Scene) -> Found:
    """A parameter without an annotation; a generic type without its arguments."""
    function = scene.function
    for kind in re.findall(r"type (?:arguments|parameters) for generic (?:type|class) \"(\w+)", scene.said):
        inside = {id(each.value) for each in nodes(scene, ast.Subscript)}
        bare = [each for each in nodes(scene, ast.Name) if each.id == kind and id(each) not in inside]
        called = {id(each.func) for each in nodes(scene, ast.Call)}
        for made in _GENERIC.get(kind, (f"{kind}[Any]",)):
            yield scene.swap_all([(each, made) for each in bare if id(each) not in called]), _at(scene), SURE
    if function is None or not re.search("missing a type annotation|annotation is missing", scene.said):
        return
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    bare_ones = [each for each in every if each.annotation is None and each.arg not in ("self", "cls")]
    for kind in ("Any", "str", "int", "float", "object"):
        typed = scene.swap_all([(each, f"{each.arg}: {kind}") for each in bare_ones])
        yield typed, _at(scene), 1.2
        if function.returns is None:
            for result in ("Any", "None", kind):
                yield re.sub(r"\)\s*:(?=\s*\n)", f") -> {result}:", typed, count=1), _at(scene), 1.1


def supertype(scene: Scene) -> Found:
    """A method that promises less, or asks for more, than the one that it replaces."""
    function = scene.function
    if function is None or not re.search("supertype|overrides class", scene.said):
        return
    asked = re.findall(r"Argument (\d+) of .*supertype defines the argument type as \"([^\"]+)\"", scene.said)
    counted = re.findall(r"Parameter (\d+) type mismatch: base parameter is type \"([^\"]+)\"", scene.said)
    arguments = [each for each in function.args.args if each.arg not in ("self", "cls")]
    for number, kind in [*asked, *((str(int(place) - 1), kind) for place, kind in counted)]:
        place = arguments[int(number) - 1] if int(number) <= len(arguments) else None
        if place is not None and place.annotation is not None:
            yield scene.swap(place.annotation, _plain(kind)), _at(scene), SURE
            yield scene.swap(place.annotation, f"{_plain(kind)} | {scene.text(place.annotation)}"), _at(scene), 1.5
    for kind in re.findall(r"(?:incompatible with return|base method returns) type \"([^\"]+)\"", scene.said):
        if function.returns is not None:
            yield scene.swap(function.returns, _plain(kind)), _at(scene), 1.5
        yield from _conversions(
            scene, _plain(kind), [each.value for each in nodes(scene, ast.Return) if each.value is not None], near=False
        )


def items(scene: Scene) -> Found:
    """An element of a list, an entry of a dictionary or a key of a typed one that is not what is declared."""
    for expected in re.findall(r"List item \d+ has incompatible type \"[^\"]+\"; expected \"([^\"]+)\"", scene.said):
        yield from _conversions(scene, _plain(expected), [each for node in nodes(scene, ast.List) for each in node.elts])
        yield from _constants(scene, expected, [each for node in nodes(scene, ast.List) for each in node.elts])
    for key, value in re.findall(r"Dict entry .*; expected \"([^\"]+)\": \"([^\"]+)\"", scene.said):
        keys = [each for node in nodes(scene, ast.Dict) for each in node.keys if each is not None]
        values = [each for node in nodes(scene, ast.Dict) for each in node.values]
        for kind, found in ((key, keys), (value, values)):
            yield from _conversions(scene, _plain(kind), found)
            yield from _constants(scene, kind, found)
    for key in re.findall(r"[Mm]issing key \"(\w+)\"|\"(\w+)\" is required in", scene.said):
        name = key[0] or key[1]
        for table in nodes(scene, ast.Dict):
            inside = scene.text(table)[1:-1].rstrip().removesuffix(",")
            for value in dict.fromkeys([*([name] if name in scene.parameters else []), '""', "0", "[]", "None", "False", "{}", "0.0"]):
                yield scene.swap(table, f'{{{inside}{", " if inside.strip() else ""}"{name}": {value}}}'), _at(scene), 1.5


def superfluous(scene: Scene) -> Found:
    """A cast that changes nothing."""
    for node in nodes(scene, ast.Call) if re.search('[Rr]edundant cast|Unnecessary "cast"', scene.said) else ():
        if scene.text(node.func).rsplit(".", 1)[-1] == "cast" and len(node.args) == 2:
            yield scene.swap(node, scene.text(node.args[1])), node.lineno - 1, SURE


def _constants(scene: Scene, expected: str, values: Iterable[ast.expr]) -> Found:
    """A constant written as one of the expected type."""
    for node in values:
        value = node.value if isinstance(node, ast.Constant) else None
        if expected == "str" and isinstance(value, int | float):
            yield scene.swap(node, f'"{value}"'), node.lineno - 1, SURE
        elif expected in ("int", "float") and isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
            yield scene.swap(node, value), node.lineno - 1, SURE


def _at(scene: Scene) -> int:
    return scene.pointed or 0


def _plain(kind: str) -> str:
    """A type as an annotation: mypy writes `builtins.int` and `list[str]`, pyright `Literal['x']`."""
    kind = re.sub(r"\b(?:builtins|typing|collections\.abc)\.", "", kind)
    literal = re.fullmatch(r"Literal\[(.+)\]\??", kind)
    if literal:
        return "str" if literal[1][:1] in "'\"" else "bool" if literal[1] in ("True", "False") else "int"
    return kind.rstrip("?*")


def _conversions(scene: Scene, expected: str, values: Iterable[ast.expr], *, near: bool = True) -> Found:
    wrap = {"str": "str({})", "int": "int({})", "float": "float({})", "bytes": "{}.encode()", "bool": "bool({})"}.get(expected)
    wraps = [wrap] if wrap else []
    for name, made in (("list", "list({})"), ("tuple", "tuple({})"), ("set", "set({})"), ("dict", "dict({})"), ("Path", "Path({})")):
        if expected.startswith(name):
            wraps.append(made)
    for node in values:
        if near and scene.pointed is not None and not node.lineno - 1 <= scene.pointed < (node.end_lineno or node.lineno):
            continue
        for each in wraps:
            yield scene.swap(node, each.format(scene.text(node))), node.lineno - 1, 1.4
        if expected == "str":
            yield scene.swap(node, f'{scene.text(node)} or ""'), node.lineno - 1, 0.9
