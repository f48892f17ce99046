"""A wrong signature, decorator, constructor or closure."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from suture_agent.direct.templates.scene import Found, Scene, first, is_docstring, nodes
from suture_sandbox.text import lines_with_ends

_MUTABLE = (ast.List, ast.Dict, ast.Set)


def signature(scene: Scene) -> Found:
    """A default that is made once for all calls; a missing or superfluous decorator; `async` too much or too little."""
    function = scene.tree.body[0]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    names = [*function.args.posonlyargs, *function.args.args]
    pairs = list(zip(names[len(names) - len(function.args.defaults) :], function.args.defaults, strict=False))
    pairs += [
        (name, default) for name, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=False) if default is not None
    ]
    for parameter, value in pairs:
        if isinstance(value, _MUTABLE) or (isinstance(value, ast.Call) and scene.text(value) in ("list()", "dict()", "set()")):
            yield _late_default(scene, function, parameter, value), function.lineno - 1, 2.0
        elif isinstance(value, ast.Call) and function.body[0].lineno != function.lineno:
            yield _late_default(scene, function, parameter, value), function.lineno - 1, 1.5
    decorators = {scene.text(decorator) for decorator in function.decorator_list}
    if "." in scene.unit.name:
        for added in ("property", "staticmethod", "classmethod"):
            if added not in decorators:
                yield f"@{added}\n{scene.source}", function.lineno - 1, 0.6 if added == "property" else 0.3
    for decorator in function.decorator_list:
        lines = lines_with_ends(scene.source)
        yield "".join(lines[: decorator.lineno - 1] + lines[decorator.end_lineno :]), decorator.lineno - 1, 0.4


def _late_default(scene: Scene, function: ast.FunctionDef | ast.AsyncFunctionDef, name: ast.arg, default: ast.expr) -> str:
    """`x=[]` becomes `x=None`, and the default is made when the function is called."""
    body = function.body[1:] if is_docstring(function.body[0]) and len(function.body) > 1 else function.body
    lines = lines_with_ends(scene.source)
    at = body[0].lineno - 1
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    made = f"{indent}if {name.arg} is None:\n{indent}    {name.arg} = {scene.text(default)}\n"
    inserted = "".join(lines[:at]) + made + "".join(lines[at:])
    changed = Scene(unit=scene.unit, source=inserted, tree=scene.tree, raised=())
    changed_text = changed.swap(default, "None")
    if name.annotation is not None and "None" not in scene.text(name.annotation):
        annotated = Scene(unit=scene.unit, source=changed_text, tree=scene.tree, raised=())
        return annotated.swap(name.annotation, f"{scene.text(name.annotation)} | None")
    return changed_text


def inherited(scene: Scene) -> Found:
    """A constructor that forgets its base class's."""
    function = scene.tree.body[0]
    if not isinstance(function, ast.FunctionDef) or function.name != "__init__" or "super()" in scene.source:
        return
    lines = lines_with_ends(scene.source)
    at = function.body[0].lineno - 1
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    names = [each.arg for each in function.args.args if each.arg != "self"]
    for count in range(len(names) + 1):
        yield "".join(lines[:at]) + f"{indent}super().__init__({', '.join(names[:count])})\n" + "".join(lines[at:]), at, 0.9


def closures(scene: Scene) -> Found:
    """A function made in a loop that sees the loop's last values."""
    for node in nodes(scene, ast.Lambda):
        used = _changing(scene, node, [node.body])
        if used:
            given = ast.unparse(node.args)
            bound = ", ".join([*([given] if given else []), *(f"{name}={name}" for name in used)])
            yield scene.swap(node, f"lambda {bound}: {scene.text(node.body)}"), node.lineno - 1, 1.5
    for inner in nodes(scene, ast.FunctionDef):
        used = _changing(scene, inner, inner.body)
        opening = re.search(rf"def {re.escape(inner.name)}\((.*?)\)", scene.source, re.DOTALL)
        if inner is not scene.tree.body[0] and used and opening is not None:
            bound = ", ".join([*([opening[1]] if opening[1].strip() else []), *(f"{name}={name}" for name in used)])
            changed = f"{scene.source[: opening.start(1)]}{bound}{scene.source[opening.end(1) :]}"
            yield changed, inner.lineno - 1, 1.5


def _changing(scene: Scene, inner: ast.AST, body: Sequence[ast.AST]) -> list[str]:
    """Names that a function uses and a loop or a comprehension around it gives new values."""
    own = {each.arg for each in ast.walk(inner) if isinstance(each, ast.arg)}
    own |= {each.id for part in body for each in ast.walk(part) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    given: set[str] = set()
    for loop in ast.walk(scene.tree):
        parts: Sequence[ast.AST] = ()
        if isinstance(loop, ast.For | ast.While):
            parts = [*([loop.target] if isinstance(loop, ast.For) else []), *loop.body]
        elif isinstance(loop, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            parts = [each.target for each in loop.generators]
        if parts and any(each is inner for each in ast.walk(loop)):
            given |= {
                each.id for part in parts for each in ast.walk(part) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
            }
    return sorted({each.id for part in body for each in ast.walk(part) if isinstance(each, ast.Name)} & given - own)


def overridden(scene: Scene) -> Found:
    """A method that forgets the one of its base class; one that an override should call instead of itself."""
    function = scene.function
    if function is None or "." not in scene.unit.name or not scene.body:
        return
    given = ", ".join(scene.parameters)
    call = f"super().{function.name}({given})"
    if "super()" not in scene.source:
        at = first(scene.body[0])
        yield scene.insert(at, call, like=scene.body[0].lineno - 1), at, 0.5
        end = scene.body[-1].end_lineno or scene.body[-1].lineno
        lines = lines_with_ends(scene.source)
        indent = " " * scene.body[-1].col_offset
        yield "".join([*lines[:end], f"{indent}{call}\n", *lines[end:]]), end - 1, 0.4
        yield "".join([*lines[:end], f"{indent}return {call}\n", *lines[end:]]), end - 1, 0.4
    for node in nodes(scene, ast.Call):
        if isinstance(node.func, ast.Attribute) and scene.text(node.func.value) == "super()" and not node.args and given:
            yield scene.swap(node, f"super().{node.func.attr}({given})"), node.lineno - 1, 1.0


def leaving(scene: Scene) -> Found:
    """What the end of a `with` block lets through: nothing, everything, or one exception."""
    function = scene.function
    if function is None or function.name not in ("__exit__", "__aexit__") or not scene.parameters:
        return
    kind = scene.parameters[0]
    classes = [name for name in scene.around.functions if name[:1].isupper()]
    for node in nodes(scene, ast.Return):
        for text in ("False", f"{kind} is None", *(f"{kind} is not None and issubclass({kind}, {name})" for name in classes)):
            yield scene.swap(node, f"return {text}"), node.lineno - 1, 0.8


def compared(scene: Scene) -> Found:
    """What equality, order and hash are made of."""
    function = scene.function
    if function is None or "." not in scene.unit.name:
        return
    fields = [name for name in scene.around.fields if not name.startswith("__")]
    if function.name == "__hash__" and fields:
        for node in nodes(scene, ast.Return):
            for count in range(1, min(len(fields), 5) + 1):
                inner = ", ".join(f"self.{name}" for name in fields[:count])
                yield scene.swap(node, f"return hash(({inner}{',' if count == 1 else ''}))"), node.lineno - 1, 0.8
            for name in fields:
                yield scene.swap(node, f"return hash(self.{name})"), node.lineno - 1, 0.8
    if function.name == "__eq__":
        owner = scene.unit.name.rsplit(".", 2)[-2]
        other = scene.parameters[0] if scene.parameters else "other"
        made = f"if not isinstance({other}, {owner}):\n    return NotImplemented"
        if "NotImplemented" not in scene.source and scene.body:
            yield scene.insert(first(scene.body[0]), made, like=scene.body[0].lineno - 1), scene.body[0].lineno - 1, 0.8


_MADE_ANEW = frozenset({"[]", "{}", "list()", "dict()", "set()", "Counter()", "deque()"})


def shared(scene: Scene) -> Found:
    """In a class: a mutable value that all its objects share."""
    owner = scene.owner
    if owner is None:
        return
    init = next((node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"), None)
    for node in owner.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
        text, line = scene.text(node.value), node.lineno - 1
        if not isinstance(target, ast.Name) or not (isinstance(node.value, ast.List | ast.Dict | ast.Set) or text in _MADE_ANEW):
            continue
        if _dataclass(scene, owner) is not None:
            kind = {"[]": "list", "{}": "dict"}.get(text, text.removesuffix("()") if text in _MADE_ANEW else f"lambda: {text}")
            yield scene.swap(node.value, f"field(default_factory={kind})"), line, 2.0
        elif init is None:
            annotation = f": {scene.text(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
            made = f"def __init__(self):\n{' ' * node.col_offset}    self.{target.id}{annotation} = {text}"
            yield scene.swap(node, made), line, 1.5
        elif init.body[0].lineno != init.lineno:
            yield scene.insert(first(init.body[0]), f"self.{target.id} = {text}", like=init.body[0].lineno - 1), line, 1.5


_KEPT = ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Queue", "local", "ContextVar")


def kept(scene: Scene) -> Found:
    """In a class: what every call makes anew (a lock, a semaphore, a decoder of bytes that come in parts) and the object should keep."""
    owner = scene.owner
    init = next((node for node in owner.body if isinstance(node, ast.FunctionDef) and node.name == "__init__"), None) if owner else None
    if owner is None or init is None or init.body[-1].lineno == init.lineno:
        return
    for method in [node for node in owner.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node is not init]:
        for node in [each for each in ast.walk(method) if isinstance(each, ast.Call)]:
            name = scene.text(node.func).rsplit(".", 1)[-1]
            free = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)} & {
                each.arg for each in ast.walk(method.args) if isinstance(each, ast.arg)
            }
            if name in _KEPT and free <= {"self"}:
                field = f"self._{name.lower()}"
                end, indent = init.body[-1].end_lineno or init.body[-1].lineno, " " * init.body[-1].col_offset
                lines = scene.swap(node, field).splitlines(keepends=True)
                yield "".join([*lines[:end], f"{indent}{field} = {scene.text(node)}\n", *lines[end:]]), node.lineno - 1, 1.5
            if name == "decode" and isinstance(node.func, ast.Attribute) and not scene.text(node.func.value).startswith("self"):
                codec = scene.text(node.args[0]) if node.args else '"utf-8"'
                how = ", ".join(f"{each.arg}={scene.text(each.value)}" for each in node.keywords)
                lines = scene.swap(node, f"self._decoder.decode({scene.text(node.func.value)})").splitlines(keepends=True)
                end, indent = init.body[0].lineno - 1, " " * init.body[0].col_offset
                made = f"{indent}self._decoder = codecs.getincrementaldecoder({codec})({how})\n"
                yield "".join([*lines[:end], made, *lines[end:]]), node.lineno - 1, 0.8


def own_class(scene: Scene) -> Found:
    """A method that names its own class where that of its object is meant: one call, and all of a class at once."""
    owner = scene.owner
    if owner is None:
        name, function = scene.unit.name.rpartition(".")[0].rpartition(".")[2], scene.function
        pairs = _own(name, function) if name and function is not None else []
        for node, text in pairs:
            yield scene.swap(node, text), node.lineno - 1, 0.9
        return
    every = [pair for node in owner.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for pair in _own(owner.name, node)]
    if every:
        yield scene.swap_all([*every]), every[0][0].lineno - 1, 0.9


def _own(name: str, method: ast.FunctionDef | ast.AsyncFunctionDef) -> list[tuple[ast.expr, str]]:
    """The uses of a class's name in one of its methods, each with what stands for the object's own class there."""
    first_name = next((each.arg for each in [*method.args.posonlyargs, *method.args.args]), "")
    made = {"self": "type(self)", "cls": "cls"}.get(first_name, "")
    calls = [node.func for part in method.body for node in ast.walk(part) if isinstance(node, ast.Call)]
    reads = [node.value for part in method.body for node in ast.walk(part) if isinstance(node, ast.Attribute)]
    return [(node, made) for node in [*calls, *reads] if made and isinstance(node, ast.Name) and node.id == name]


def options(scene: Scene) -> Found:
    """In a class: a dataclass's missing option; an equality without a hash; an order that is only half there."""
    owner = scene.owner
    if owner is None:
        return
    record = _dataclass(scene, owner)
    if record is not None:
        name, _, inside = scene.text(record).partition("(")
        given = inside.removesuffix(")")
        for option in ("frozen=True", "order=True", "eq=False", "unsafe_hash=True", "frozen=True, order=True", "eq=True"):
            if option.split("=")[0] not in given:
                yield scene.swap(record, f"{name}({', '.join(part for part in (given, option) if part)})"), owner.lineno - 1, 0.7
        return
    methods = {node.name: node for node in owner.body if isinstance(node, ast.FunctionDef)}
    if "__eq__" in methods and "__hash__" not in methods:
        eq = methods["__eq__"]
        sides = [node.left for node in ast.walk(eq) if isinstance(node, ast.Compare)]
        texts = dict.fromkeys(scene.text(side) for side in sides if scene.text(side).startswith(("self.", "(self.")))
        lines = lines_with_ends(scene.source)
        end, indent = eq.end_lineno or eq.lineno, " " * eq.col_offset
        inner = next(iter(texts), "") if len(texts) == 1 else f"({', '.join(texts)})"
        hashes = [f"    return hash({inner})"] if texts else []
        hashes += [f"    return {scene.text(base)}.__hash__(self)" for base in owner.bases]
        for body in [*hashes, "    return id(self)"]:
            made = f"\n{indent}def __hash__(self) -> int:\n{indent}{body}\n"
            yield "".join([*lines[:end], made, *lines[end:]]), eq.lineno - 1, 1.2 if body in hashes[:1] else 0.6
    if {"__lt__", "__eq__"} <= methods.keys() and "total_ordering" not in scene.source:
        yield f"@functools.total_ordering\n{scene.source}", 0, 0.8


def _dataclass(scene: Scene, owner: ast.ClassDef) -> ast.expr | None:
    """The decorator that makes the class a dataclass."""
    named = [(each, scene.text(each).split("(")[0].rsplit(".", 1)[-1]) for each in owner.decorator_list]
    return next((each for each, name in named if name == "dataclass"), None)
