"""Candidates made by rule: small edits that mend common mistakes, in the manner of template-based program repair.

The operators follow the fix patterns that Liu et al. collected ("TBar: Revisiting Template-based Automated Program Repair", ISSTA 2019) and
Python's own habits (await, iterators used twice, mutable defaults, removed standard names). They complement a small policy, which
often repeats a function unchanged. Like its answers they are proposals only: each goes through the same verdict.

Every operator is a plain function from a node to replacement texts; edits replace the node's own characters, so the rest keeps its form.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from suture_agent.direct.units import Unit, parse

Node = TypeVar("Node", bound=ast.AST)

MOST_CANDIDATES = 160

_COMPARE: Mapping[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"), ast.LtE: ("<", ">="), ast.Gt: (">=", "<"), ast.GtE: (">", "<="), ast.Eq: ("!=",), ast.NotEq: ("==",),
    ast.In: ("not in",), ast.NotIn: ("in",), ast.Is: ("is not",), ast.IsNot: ("is",),
}  # fmt: skip
_SYMBOLS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.In: "in", ast.NotIn: "not in", ast.Is: "is",
    ast.IsNot: "is not",
}  # fmt: skip
_ARITHMETIC: Mapping[type[ast.operator], tuple[str, tuple[str, ...]]] = {
    ast.Add: ("+", ("-",)), ast.Sub: ("-", ("+",)), ast.Mult: ("*", ("/", "+")), ast.Div: ("/", ("//", "*")),
    ast.FloorDiv: ("//", ("/", "%")), ast.Mod: ("%", ("//",)), ast.Pow: ("**", ("*",)),
}  # fmt: skip
_NAMES: Mapping[str, tuple[str, ...]] = {
    "min": ("max",), "max": ("min",), "any": ("all",), "all": ("any",), "append": ("extend",), "extend": ("append",),
    "floor": ("ceil",), "ceil": ("floor",), "lstrip": ("rstrip", "strip"), "rstrip": ("lstrip", "strip"), "strip": ("lstrip", "rstrip"),
    "startswith": ("endswith",), "endswith": ("startswith",), "lower": ("upper", "casefold"), "upper": ("lower",), "find": ("rfind",),
    "rfind": ("find",), "split": ("rsplit",), "rsplit": ("split",), "partition": ("rpartition",), "rpartition": ("partition",),
    "match": ("fullmatch", "search"), "search": ("match", "fullmatch"), "fullmatch": ("match", "search"), "union": ("intersection",),
    "intersection": ("union",), "issubset": ("issuperset",), "issuperset": ("issubset",), "keys": ("values", "items"),
    "values": ("keys", "items"), "appendleft": ("append",), "popleft": ("pop",), "pop": ("popleft",), "discard": ("remove",),
    "remove": ("discard",), "seconds": ("total_seconds()",),
    "isdigit": ("isdecimal", "isnumeric"), "add": ("update",), "update": ("add",), "setdefault": ("get",),
    "bisect_left": ("bisect_right",), "bisect_right": ("bisect_left",), "bisect": ("bisect_left",), "isinstance": ("issubclass",),
    "getargspec": ("getfullargspec",), "cElementTree": ("ElementTree",), "utcnow": ("now",), "clock": ("perf_counter",),
    "getchildren": ("iter",), "assertEquals": ("assertEqual",), "iteritems": ("items",), "has_key": ("__contains__",),
    "tostring": ("tobytes",), "fromstring": ("frombytes",),
    "readfp": ("read_file",), "getiterator": ("iter",), "encodestring": ("encodebytes",), "decodestring": ("decodebytes",),
}  # fmt: skip
_ABSTRACT = frozenset({
    "Callable", "Container", "Generator", "Hashable", "ItemsView", "Iterable", "Iterator", "KeysView", "Mapping", "MappingView",
    "MutableMapping", "MutableSequence", "MutableSet", "Sequence", "Set", "Sized", "ValuesView", "Awaitable", "Coroutine",
    "AsyncIterable", "AsyncIterator",
})  # fmt: skip
"""Names that left `collections` for `collections.abc`."""
_EMPTY = ("[]", "{}", "set()", "()", '""', "0", "None", "False", "True", "1", "0.0")
_MUTABLE = (ast.List, ast.Dict, ast.Set)


class Edit(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate: the unit's new source."""

    rule: str
    source: str
    line: int
    """Zero-based line in the unit that it is about."""
    weight: float
    """How likely such an edit is, against the others."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What the operators look at."""

    unit: Unit
    source: str
    tree: ast.Module
    raised: tuple[str, ...]
    """Exceptions that the failing tests expect or show."""

    def text(self, node: ast.AST) -> str:
        """The node's own text."""
        return ast.get_source_segment(self.source, node) or ""

    def swap(self, node: ast.expr | ast.stmt | ast.arg, text: str) -> str:
        """The source with the node's text replaced."""
        lines = self.source.splitlines(keepends=True)
        start = _offset(lines, node.lineno, node.col_offset)
        end = _offset(lines, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        return self.source[:start] + text + self.source[end:]


Found = Iterator[tuple[str, int, float]]
"""(new source, zero-based line, weight)."""


def edits(unit: Unit, *, raised: Sequence[str] = (), lines: frozenset[int] = frozenset()) -> tuple[Edit, ...]:
    """Candidates for a unit, most likely first. `lines`: the unit's lines that ran in the failing tests; others count less."""
    tree = parse(unit.source)
    if tree is None:
        return ()
    scene = Scene(unit=unit, source=unit.source, tree=tree, raised=tuple(raised))
    found: dict[str, Edit] = {}
    for rule, operator in OPERATORS.items():
        for source, line, weight in operator(scene):
            if source != unit.source and source not in found and parse(source) is not None:
                ran = 1.0 if not lines or line in lines else 0.4
                found[source] = Edit(rule=rule, source=source, line=line, weight=weight * ran)
    return tuple(sorted(found.values(), key=lambda edit: -edit.weight)[:MOST_CANDIDATES])


def _compare(scene: Scene) -> Found:
    for node in _each(scene, ast.Compare):
        if len(node.ops) != 1:
            continue
        left, right = scene.text(node.left), scene.text(node.comparators[0])
        for symbol in _COMPARE[type(node.ops[0])]:
            yield scene.swap(node, f"{left} {symbol} {right}"), node.lineno - 1, 1.0 if symbol in ("<=", ">=", "<", ">") else 0.8
        symbol = _SYMBOLS[type(node.ops[0])]
        if isinstance(node.ops[0], ast.Lt | ast.LtE | ast.Gt | ast.GtE):
            yield scene.swap(node, f"{left} {symbol} {right} + 1"), node.lineno - 1, 0.5
            yield scene.swap(node, f"{left} {symbol} {right} - 1"), node.lineno - 1, 0.5


def _arithmetic(scene: Scene) -> Found:
    for node in _each(scene, ast.BinOp):
        known = _ARITHMETIC.get(type(node.op))
        if known is None:
            continue
        left, right = scene.text(node.left), scene.text(node.right)
        for symbol in known[1]:
            yield scene.swap(node, f"{left} {symbol} {right}"), node.lineno - 1, 0.8
        if isinstance(node.op, ast.Sub | ast.Div | ast.FloorDiv | ast.Mod):
            yield scene.swap(node, f"{right} {known[0]} {left}"), node.lineno - 1, 0.5
        if isinstance(node.op, ast.FloorDiv):
            yield scene.swap(node, f"-(-{left} // {right})"), node.lineno - 1, 0.6
    for step in _each(scene, ast.AugAssign):
        known = _ARITHMETIC.get(type(step.op))
        target, value = scene.text(step.target), scene.text(step.value)
        for symbol in known[1] if known else ():
            yield scene.swap(step, f"{target} {symbol}= {value}"), step.lineno - 1, 0.7
        yield scene.swap(step, f"{target} = {value}"), step.lineno - 1, 0.4


def _logic(scene: Scene) -> Found:
    for node in _each(scene, ast.BoolOp):
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        values = [scene.text(value) for value in node.values]
        yield scene.swap(node, f" {new} ".join(values)), node.lineno - 1, 0.9
        for index, value in enumerate(values):
            rest = [f"not ({each})" if each == value else each for each in values]
            yield scene.swap(node, f" {old} ".join(rest)), node.lineno - 1, 0.4
            yield scene.swap(node, f" {old} ".join(values[:index] + values[index + 1 :])), node.lineno - 1, 0.4
    for kind in (ast.If, ast.While, ast.IfExp):
        for branch in _each(scene, kind):
            test: ast.expr = branch.test  # type: ignore[attr-defined]  # all three have one
            yield scene.swap(test, f"not ({scene.text(test)})"), test.lineno - 1, 0.6
    for sign in _each(scene, ast.UnaryOp):
        if isinstance(sign.op, ast.Not | ast.USub):
            yield scene.swap(sign, scene.text(sign.operand)), sign.lineno - 1, 0.6


def _numbers(scene: Scene) -> Found:
    """A number off by one, a switch the wrong way. Freely chosen constants would fit any weak test, so there are none."""
    for node in _each(scene, ast.Constant):
        value = node.value
        if isinstance(value, bool):
            yield scene.swap(node, str(not value)), node.lineno - 1, 0.9
        elif isinstance(value, int):
            for other in (value + 1, value - 1):
                yield scene.swap(node, str(other)), node.lineno - 1, 0.8


def _bounds(scene: Scene) -> Found:
    """One more or one less where a length, an index or a bound is computed."""
    for node in _each(scene, ast.Call):
        name, line = scene.text(node.func), node.lineno - 1
        if name == "range":
            yield from _one_off(scene, node.args[:2], 0.8)
            if len(node.args) == 1:
                yield scene.swap(node.args[0], f"1, {scene.text(node.args[0])}"), line, 0.5
                yield scene.swap(node.args[0], f"1, {scene.text(node.args[0])} + 1"), line, 0.5
        if name == "len":
            yield from _one_off(scene, [node], 0.5)
    for cut in _each(scene, ast.Slice):
        yield from _one_off(scene, [bound for bound in (cut.lower, cut.upper) if bound is not None], 0.7)
    for leave in _each(scene, ast.Return):
        if isinstance(leave.value, ast.Name | ast.BinOp | ast.Call):
            yield from _one_off(scene, [leave.value], 0.3)


def _one_off(scene: Scene, places: Sequence[ast.expr], weight: float) -> Found:
    for place in places:
        for sign in ("+", "-"):
            yield scene.swap(place, f"{scene.text(place)} {sign} 1"), place.lineno - 1, weight


def _names(scene: Scene) -> Found:
    """Another method or function of the same family; names that the standard library has moved or removed."""
    for node in _each(scene, ast.Attribute):
        owner = scene.text(node.value)
        for other in _NAMES.get(node.attr, ()):
            yield scene.swap(node, f"{owner}.{other}"), node.lineno - 1, 0.8
        if owner == "collections" and node.attr in _ABSTRACT:
            yield scene.swap(node, f"collections.abc.{node.attr}"), node.lineno - 1, 2.0
    for name in _each(scene, ast.Name):
        for other in _NAMES.get(name.id, ()):
            if "(" not in other:
                yield scene.swap(name, other), name.lineno - 1, 0.8


def _variables(scene: Scene) -> Found:
    """Another variable of the function in place of a read one; another attribute of the same object."""
    local = _local_names(scene)
    for name in _each(scene, ast.Name):
        if isinstance(name.ctx, ast.Load) and name.id in local:
            for other in local:
                if other not in (name.id, "self", "cls"):
                    yield scene.swap(name, other), name.lineno - 1, 0.45
    attributes: dict[str, set[str]] = {}
    for node in _each(scene, ast.Attribute):
        attributes.setdefault(scene.text(node.value), set()).add(node.attr)
    for node in _each(scene, ast.Attribute):
        owner = scene.text(node.value)
        for other in sorted(attributes[owner] - {node.attr}):
            yield scene.swap(node, f"{owner}.{other}"), node.lineno - 1, 0.4


def _calls(scene: Scene) -> Found:
    """Arguments in another order, one left out; a missing await; a result made whole or copied."""
    asynchronous = isinstance(scene.tree.body[0], ast.AsyncFunctionDef)
    awaited = {id(node.value) for node in _each(scene, ast.Await)}
    for node in _each(scene, ast.Call):
        line = node.lineno - 1
        arguments = [scene.text(argument) for argument in node.args]
        keywords = [
            scene.text(keyword.value) if keyword.arg is None else f"{keyword.arg}={scene.text(keyword.value)}" for keyword in node.keywords
        ]
        function = scene.text(node.func)
        for first in range(len(arguments) - 1):
            swapped = [*arguments[:first], arguments[first + 1], arguments[first], *arguments[first + 2 :]]
            yield scene.swap(node, f"{function}({', '.join([*swapped, *keywords])})"), line, 0.8
        if asynchronous and id(node) not in awaited:
            yield scene.swap(node, f"await {scene.text(node)}"), line, 1.2
        if len(arguments) == 1 and isinstance(node.args[0], ast.List | ast.ListComp | ast.Name | ast.GeneratorExp):
            yield (
                scene.swap(node.args[0], f"*{arguments[0]}" if not isinstance(node.args[0], ast.GeneratorExp) else f"*({arguments[0]})"),
                line,
                0.5,
            )
        if function.endswith("gather") and "return_exceptions" not in scene.text(node):
            yield scene.swap(node, f"{function}({', '.join([*arguments, *keywords, 'return_exceptions=True'])})"), line, 0.8
        if function == "sorted" or function.endswith(".sort"):
            toggled = [each for each in keywords if not each.startswith("reverse=")]
            extra = [] if len(toggled) != len(keywords) else ["reverse=True"]
            yield scene.swap(node, f"{function}({', '.join([*arguments, *toggled, *extra])})"), line, 0.9
        if function in ("zip", "map", "filter", "reversed", "iter", "enumerate", "dict.keys") or function.endswith(
            (".keys", ".values", ".items")
        ):
            yield scene.swap(node, f"list({scene.text(node)})"), line, 0.8
        if function == "round" and len(arguments) == 1:
            yield scene.swap(node, f"round({arguments[0]}, 2)"), line, 0.5
        if function == "int":
            yield scene.swap(node, f"round({', '.join(arguments)})"), line, 0.5


def _copies(scene: Scene) -> Found:
    """A value that is shared where it should be copied, consumed where it is read twice, or of the wrong type."""
    for node in _each(scene, ast.GeneratorExp):
        text = scene.text(node)
        if text.startswith("("):
            yield scene.swap(node, f"[{text[1:-1]}]"), node.lineno - 1, 0.9
    kinds = (ast.Assign, ast.Return, ast.For, ast.AnnAssign)
    statements = [node for node in ast.walk(scene.tree) if isinstance(node, kinds)]
    for given in statements:
        value = given.iter if isinstance(given, ast.For) else given.value
        if isinstance(value, ast.Name | ast.Attribute | ast.Subscript):
            for wrapped in ("list({})", "dict({})", "{}.copy()", "tuple({})", "sorted({})", "set({})"):
                yield scene.swap(value, wrapped.format(scene.text(value))), value.lineno - 1, 0.45
    for sum_ in _each(scene, ast.BinOp):
        for side in (sum_.left, sum_.right):
            if isinstance(side, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
                for wrapped in ("str({})", "int({})", "float({})"):
                    yield scene.swap(side, wrapped.format(scene.text(side))), side.lineno - 1, 0.3
    for product in _each(scene, ast.BinOp):
        if isinstance(product.op, ast.Mult) and isinstance(product.left, ast.List) and len(product.left.elts) == 1:
            inner, times = scene.text(product.left.elts[0]), scene.text(product.right)
            yield scene.swap(product, f"[{inner} for _ in range({times})]"), product.lineno - 1, 1.2


def _exceptions(scene: Scene) -> Found:
    """Another exception, of those that the tests expect or show."""
    for node in _each(scene, ast.ExceptHandler):
        if node.type is not None:
            caught = scene.text(node.type)
            for other in scene.raised:
                if other not in caught:
                    yield scene.swap(node.type, other), node.lineno - 1, 0.8
                    yield scene.swap(node.type, f"({caught.strip('()')}, {other})"), node.lineno - 1, 0.9
    for thrown in _each(scene, ast.Raise):
        called = thrown.exc.func if isinstance(thrown.exc, ast.Call) else thrown.exc
        if called is not None:
            for other in scene.raised:
                if other != scene.text(called):
                    yield scene.swap(called, other), thrown.lineno - 1, 1.0


def _signature(scene: Scene) -> Found:
    """A mutable default; a missing or superfluous decorator; `async` too much or too little."""
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
    decorators = {scene.text(decorator) for decorator in function.decorator_list}
    if "." in scene.unit.name:
        for added in ("property", "staticmethod", "classmethod"):
            if added not in decorators:
                yield f"@{added}\n{scene.source}", function.lineno - 1, 0.6 if added == "property" else 0.3
    for decorator in function.decorator_list:
        lines = scene.source.splitlines(keepends=True)
        yield "".join(lines[: decorator.lineno - 1] + lines[decorator.end_lineno :]), decorator.lineno - 1, 0.4


def _late_default(scene: Scene, function: ast.FunctionDef | ast.AsyncFunctionDef, name: ast.arg, default: ast.expr) -> str:
    """`x=[]` becomes `x=None`, and the default is made when the function is called."""
    body = function.body[1:] if _is_docstring(function.body[0]) and len(function.body) > 1 else function.body
    lines = scene.source.splitlines(keepends=True)
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


def _statements(scene: Scene) -> Found:
    """A statement too many, in the wrong place, or at the wrong depth."""
    lines = scene.source.splitlines(keepends=True)
    for body in _bodies(scene.tree):
        for index, node in enumerate(body):
            start, end = _first(node), node.end_lineno or node.lineno
            if len(body) > 1 and not _is_docstring(node):
                yield "".join(lines[:start] + lines[end:]), start, 0.35
            if index + 1 < len(body) and not _is_docstring(node):
                following = body[index + 1]
                last = following.end_lineno or following.lineno
                yield "".join([*lines[:start], *lines[_first(following) : last], *lines[start:end], *lines[last:]]), start, 0.5
        last_node = body[-1]
        if isinstance(last_node, ast.Return | ast.Expr | ast.Assign | ast.AugAssign) and last_node.col_offset >= 8:
            start, end = last_node.lineno - 1, last_node.end_lineno or last_node.lineno
            moved = [line.removeprefix("    ") for line in lines[start:end]]
            yield "".join(lines[:start] + moved + lines[end:]), start, 0.8
    for node in _each(scene, ast.Continue):
        yield scene.swap(node, "break"), node.lineno - 1, 0.5
    for node in _each(scene, ast.Break):
        yield scene.swap(node, "continue"), node.lineno - 1, 0.5
    for node in _each(scene, ast.Expr):
        if isinstance(node.value, ast.Call):
            yield scene.swap(node, f"return {scene.text(node)}"), node.lineno - 1, 0.4


def _cleanup(scene: Scene) -> Found:
    """What follows a yield happens also when the block raises: `try: yield ... finally: ...`."""
    function = scene.tree.body[0]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) or not any(
        "contextmanager" in scene.text(each) for each in function.decorator_list
    ):
        return
    lines = scene.source.splitlines(keepends=True)
    for index, node in enumerate(function.body):
        if isinstance(node, ast.Expr | ast.Assign) and isinstance(node.value, ast.Yield) and index + 1 < len(function.body):
            at, end = node.lineno - 1, node.end_lineno or node.lineno
            indent = " " * node.col_offset
            kept, after = textwrap.indent("".join(lines[at:end]), "    "), textwrap.indent("".join(lines[end:]), "    ")
            yield "".join(lines[:at]) + f"{indent}try:\n{kept}{indent}finally:\n{after}", at, 2.0


def _guards(scene: Scene) -> Found:
    """A base case at the beginning: nothing to work on gives an empty result."""
    function = scene.tree.body[0]
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
        return
    body = function.body[1:] if _is_docstring(function.body[0]) and len(function.body) > 1 else function.body
    lines = scene.source.splitlines(keepends=True)
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


def _inherited(scene: Scene) -> Found:
    """A constructor that forgets its base class's."""
    function = scene.tree.body[0]
    if not isinstance(function, ast.FunctionDef) or function.name != "__init__" or "super()" in scene.source:
        return
    lines = scene.source.splitlines(keepends=True)
    at = function.body[0].lineno - 1
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    names = [each.arg for each in function.args.args if each.arg != "self"]
    for count in range(len(names) + 1):
        yield "".join(lines[:at]) + f"{indent}super().__init__({', '.join(names[:count])})\n" + "".join(lines[at:]), at, 0.9


def _closures(scene: Scene) -> Found:
    """A lambda made in a loop that sees the loop's last value."""
    loops = {each.id for loop in _each(scene, ast.For) for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
    for node in _each(scene, ast.Lambda):
        used = sorted({each.id for each in ast.walk(node.body) if isinstance(each, ast.Name)} & loops)
        if used:
            given = ast.unparse(node.args)
            bound = ", ".join([*([given] if given else []), *(f"{name}={name}" for name in used)])
            yield scene.swap(node, f"lambda {bound}: {scene.text(node.body)}"), node.lineno - 1, 1.5
    for inner in _each(scene, ast.FunctionDef):
        used = sorted({each.id for part in inner.body for each in ast.walk(part) if isinstance(each, ast.Name)} & loops)
        opening = re.search(rf"def {re.escape(inner.name)}\((.*?)\)", scene.source, re.DOTALL)
        if inner is not scene.tree.body[0] and used and opening is not None:
            bound = ", ".join([*([opening[1]] if opening[1].strip() else []), *(f"{name}={name}" for name in used)])
            changed = f"{scene.source[: opening.start(1)]}{bound}{scene.source[opening.end(1) :]}"
            yield changed, inner.lineno - 1, 1.5


OPERATORS: Mapping[str, Callable[[Scene], Found]] = {
    "compare": _compare,
    "arithmetic": _arithmetic,
    "logic": _logic,
    "numbers": _numbers,
    "bounds": _bounds,
    "names": _names,
    "variables": _variables,
    "calls": _calls,
    "copies": _copies,
    "exceptions": _exceptions,
    "signature": _signature,
    "statements": _statements,
    "cleanup": _cleanup,
    "guards": _guards,
    "inherited": _inherited,
    "closures": _closures,
}
"""Name -> operator."""


def _each(scene: Scene, kind: type[Node]) -> list[Node]:
    return [node for node in ast.walk(scene.tree) if isinstance(node, kind)]


def _bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt) and not isinstance(node, ast.Module):
                yield body


def _local_names(scene: Scene) -> list[str]:
    names = {node.arg for node in _each(scene, ast.arg)}
    names |= {node.id for node in _each(scene, ast.Name) if isinstance(node.ctx, ast.Store)}
    return sorted(names)


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _offset(lines: Sequence[str], line: int, column: int) -> int:
    """Character offset of ast's (line, UTF-8 column)."""
    return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())
