"""Classes: what they inherit and in which order, what an override keeps of the method it replaces, what special methods owe."""

from __future__ import annotations

import ast
import difflib
import re

from suture_agent.direct.templates.scene import Found, Scene, first, nodes

_MOST_BASES = 6


def bases(scene: Scene) -> Found:
    """Base classes in another order; one more, one less, another one."""
    owner = scene.owner
    if owner is None:
        return
    given = [scene.text(each) for each in owner.bases]
    known = [name for name in scene.around.functions if name[:1].isupper() and name not in (*given, owner.name)][:_MOST_BASES]
    orders = [[*given[:at], given[at + 1], given[at], *given[at + 2 :]] for at in range(len(given) - 1)]
    others = [[*given[:at], name, *given[at + 1 :]] for at in range(len(given)) for name in known]
    others += [made for name in known for made in ([name, *given], [*given, name])]
    others += [[*given[:at], *given[at + 1 :]] for at in range(len(given))]
    for made, weight in [*((each, 1.2) for each in orders), *((each, 0.35) for each in others)]:
        inside = ", ".join([*made, *(scene.text(each) for each in owner.keywords)])
        found = re.search(rf"class {re.escape(owner.name)}(\s*\([^()]*\))?", scene.source)
        if found is not None:
            head = f"class {owner.name}({inside})" if inside else f"class {owner.name}"
            yield scene.source[: found.start()] + head + scene.source[found.end() :], owner.lineno - 1, weight


def misnamed(scene: Scene) -> Found:
    """A method or a special method whose name is not the one that is looked for."""
    owner = scene.owner
    if owner is None:
        return
    special = ("__init__", "__post_init__", "__enter__", "__exit__", "__iter__", "__next__", "__len__", "__eq__", "__hash__", "__call__",
               "__getitem__", "__setitem__", "__contains__", "__repr__", "__str__", "__lt__", "__aenter__", "__aexit__", "__bool__",
               "__init_subclass__", "__set_name__", "__getattr__", "__add__", "__radd__")  # fmt: skip
    have = {node.name for node in owner.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    absent = [name for name in (*special, *scene.around.members) if name not in have]
    for node in owner.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name not in special:
            for other in difflib.get_close_matches(node.name, absent, n=2, cutoff=0.7):
                opening = re.compile(rf"(def\s+){re.escape(node.name)}\b")
                yield opening.sub(rf"\g<1>{other}", scene.source, count=1), node.lineno - 1, 0.9


def extended(scene: Scene) -> Found:
    """A result that should add to the one of the base class."""
    function = scene.function
    if function is None or "." not in scene.unit.name or function.name == "__init__":
        return
    inherited = f"super().{function.name}({', '.join(scene.parameters)})"
    for node in nodes(scene, ast.Return):
        if node.value is None or "super()" in scene.text(node):
            continue
        text, line = scene.text(node.value), node.lineno - 1
        if isinstance(node.value, ast.Dict | ast.List | ast.Set) and len(text) > 2:
            star = "**" if isinstance(node.value, ast.Dict) else "*"
            inner = text[1:-1].strip().removesuffix(",")
            for made in (f"{star}{inherited}, {inner}", f"{inner}, {star}{inherited}"):
                yield scene.swap(node.value, f"{text[0]}{made}{text[-1]}"), line, 1.0
        for sign in ("+", "and", "or", "|"):
            inner = f"({text})" if isinstance(node.value, ast.BoolOp | ast.IfExp) else text
            yield scene.swap(node.value, f"{inherited} {sign} {inner}"), line, 0.4
        yield scene.swap(node.value, f"{text} + {inherited}"), line, 0.3


def upwards(scene: Scene) -> Found:
    """Another way up: `super()` for a class's name, the method of the same name, all arguments handed on."""
    function = scene.function
    if function is None or "." not in scene.unit.name:
        return
    catching = [f"*{function.args.vararg.arg}"] if function.args.vararg else []
    catching += [f"**{function.args.kwarg.arg}"] if function.args.kwarg else []
    for node in nodes(scene, ast.Call):
        if not isinstance(node.func, ast.Attribute):
            continue
        owner, name, given = scene.text(node.func.value), node.func.attr, [scene.text(each) for each in node.args]
        given += [scene.text(each) for each in node.keywords]
        line = node.lineno - 1
        if owner[:1].isupper() and given[:1] == ["self"]:
            yield scene.swap(node, f"super().{name}({', '.join(given[1:])})"), line, 1.2
        if not owner.startswith("super("):
            continue
        if name != function.name:
            yield scene.swap(node, f"{owner}.{function.name}({', '.join(given)})"), line, 1.0
        if owner != "super()":
            yield scene.swap(node, f"super().{name}({', '.join(given)})"), line, 1.2
        missing = [each for each in catching if each not in given]
        if missing:
            yield scene.swap(node, f"{owner}.{name}({', '.join([*given, *missing])})"), line, 1.2
    if function.name == "__init_subclass__" and "super()" not in scene.source and scene.body:
        call = f"super().__init_subclass__({', '.join(catching)})"
        yield scene.insert(first(scene.body[0]), call, like=scene.body[0].lineno - 1), scene.body[0].lineno - 1, 1.5


_OWED = {
    "__iter__": ("iter({})",), "__aiter__": ("aiter({})",), "__len__": ("len({})",), "__bool__": ("bool({})", "len({}) > 0"),
    "__str__": ("str({})",), "__repr__": ("repr({})", "str({})"), "__hash__": ("hash({})",), "__contains__": ("bool({})",),
    "__int__": ("int({})",), "__float__": ("float({})",), "__index__": ("int({})",), "__bytes__": ("bytes({})",),
}  # fmt: skip
_REFLECTED = frozenset({"__radd__", "__rsub__", "__rmul__", "__rtruediv__", "__rfloordiv__", "__rmod__", "__rpow__"})
_COMPARED = frozenset({"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__add__", "__sub__", "__mul__", *_REFLECTED})


def owed(scene: Scene) -> Found:
    """What a special method must give: an iterator, a number, itself, `NotImplemented`."""
    function = scene.function
    if function is None or "." not in scene.unit.name:
        return
    owner, other = scene.unit.name.rsplit(".", 2)[-2], next(iter(scene.parameters), "other")
    for node in nodes(scene, ast.Return):
        text, line = scene.text(node.value) if node.value else "", node.lineno - 1
        for made in _OWED.get(function.name, ()) if node.value else ():
            yield scene.swap(node, f"return {made.format(text)}"), line, 1.2
        if function.name in ("__next__", "__anext__"):
            yield scene.swap(node, f"raise {'StopIteration' if function.name == '__next__' else 'StopAsyncIteration'}"), line, 1.0
        if function.name == "__eq__" and node.value is not None:
            yield scene.swap(node, f"return isinstance({other}, {owner}) and {text}"), line, 0.9
            yield scene.swap(node, f"return type(self) is type({other}) and {text}"), line, 0.6
        if function.name in _COMPARED:
            yield scene.swap(node, "return NotImplemented"), line, 0.6
        if function.name in _REFLECTED and isinstance(node.value, ast.BinOp):
            left, right = scene.text(node.value.left), scene.text(node.value.right)
            yield scene.swap_all([(node.value.left, right), (node.value.right, left)]), line, 1.2
        if function.name == "__repr__" and isinstance(node.value, ast.JoinedStr):
            shown = re.sub(r"{([^{}:!]+)}", r"{\1!r}", text)
            yield scene.swap(node, f"return {shown}"), line, 0.9
            yield scene.swap(node, f"return {text.replace(f'{owner}(', '{type(self).__name__}(', 1)}"), line, 0.9
    for thrown in nodes(scene, ast.Raise):
        if function.name in _COMPARED:
            yield scene.swap(thrown, "return NotImplemented"), thrown.lineno - 1, 1.0
        if "NotImplementedError" in scene.text(thrown):
            yield scene.swap(thrown, "return NotImplemented"), thrown.lineno - 1, 0.5
    yield from _underlying(scene, function)


def _underlying(scene: Scene, function: ast.FunctionDef | ast.AsyncFunctionDef) -> Found:
    """A property that reads itself; a name that its class mangles; an attribute of the class that every object gets its own of."""
    for node in nodes(scene, ast.Attribute):
        if not isinstance(node.value, ast.Name) or node.value.id not in ("self", "cls"):
            continue
        line, owner = node.lineno - 1, node.value.id
        if node.attr == function.name:
            for other in scene.around.fields:
                if other.lstrip("_") == node.attr and other != node.attr:
                    yield scene.swap(node, f"{owner}.{other}"), line, 1.5
        if node.attr.startswith("__") and not node.attr.endswith("__"):
            every = [each for each in nodes(scene, ast.Attribute) if each.attr == node.attr]
            for other in (node.attr[1:], node.attr[2:]):
                yield scene.swap_all([(each, f"{scene.text(each.value)}.{other}") for each in every]), line, 0.9
    given: list[tuple[ast.expr, ast.expr]] = [(made.target, made.value) for made in nodes(scene, ast.AugAssign)]
    given += [(made.targets[0], made.value) for made in nodes(scene, ast.Assign)]
    for target, value in given:
        if isinstance(target, ast.Attribute) and scene.text(target.value) == "self":
            same = [each for each in ast.walk(value) if isinstance(each, ast.Attribute) and scene.text(each) == scene.text(target)]
            yield scene.swap_all([(each, f"type(self).{target.attr}") for each in (target, *same)]), target.lineno - 1, 0.3


def records(scene: Scene) -> Found:
    """In a dataclass: a field that is not compared, not shown, shared by all, or not seen as one; what a frozen one may not do."""
    owner, function = scene.owner, scene.function
    if function is not None and function.name == "__post_init__":
        for node in nodes(scene, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Attribute) and scene.text(target.value) == "self":
                made = f'object.__setattr__(self, "{target.attr}", {scene.text(node.value)})'
                yield scene.swap(node, made), node.lineno - 1, 1.5 if "Frozen" in scene.said else 0.3
    if owner is None or not any("dataclass" in scene.text(each) for each in owner.decorator_list):
        return
    for field in owner.body:
        yield from _field(scene, field)


def _field(scene: Scene, field: ast.stmt) -> Found:
    line = field.lineno - 1
    if isinstance(field, ast.Assign) and isinstance(field.targets[0], ast.Name):
        kind = type(field.value.value).__name__ if isinstance(field.value, ast.Constant) and field.value.value is not None else "object"
        yield scene.swap(field, f"{field.targets[0].id}: {kind} = {scene.text(field.value)}"), line, 1.0
    if not isinstance(field, ast.AnnAssign):
        return
    name, kind = scene.text(field.target), scene.text(field.annotation)
    for option in ("compare=False", "repr=False", "hash=False", "init=False", "kw_only=True"):
        if field.value is None:
            yield scene.swap(field, f"{name}: {kind} = field({option})"), line, 0.5
        elif scene.text(field.value).startswith("field(") and option.split("=")[0] not in scene.text(field.value):
            yield scene.swap(field.value, f"{scene.text(field.value)[:-1]}, {option})"), line, 0.6
        elif isinstance(field.value, ast.Constant | ast.Name):
            yield scene.swap(field.value, f"field(default={scene.text(field.value)}, {option})"), line, 0.45
    if field.value is not None:
        yield scene.swap(field.annotation, f"ClassVar[{kind}]"), line, 0.5
