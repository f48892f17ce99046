"""A call with the wrong arguments, a value that is shared, used up or of the wrong type."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping

from suture_agent.direct.templates.scene import SURE, Found, Scene, nodes


def calls(scene: Scene) -> Found:
    """Arguments in another order, one left out; a missing await; a result made whole or copied."""
    asynchronous = isinstance(scene.tree.body[0], ast.AsyncFunctionDef)
    awaited = {id(node.value) for node in nodes(scene, ast.Await)}
    for node in nodes(scene, ast.Call):
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
        if len(arguments) == 1 and not keywords and isinstance(node.args[0], ast.Name):
            yield scene.swap(node.args[0], f"**{arguments[0]}"), line, 0.35
        yield from _known_call(scene, node, arguments, keywords)


def _known_call(scene: Scene, node: ast.Call, arguments: list[str], keywords: list[str]) -> Found:
    """A call of a well-known function: turned round, made whole, rounded."""
    function, line = scene.text(node.func), node.lineno - 1
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


def copies(scene: Scene) -> Found:
    """A value that is shared where it should be copied, consumed where it is read twice, or of the wrong type."""
    for node in nodes(scene, ast.GeneratorExp):
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
    for sum_ in nodes(scene, ast.BinOp):
        for side in (sum_.left, sum_.right):
            if isinstance(side, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
                for wrapped in ("str({})", "int({})", "float({})"):
                    yield scene.swap(side, wrapped.format(scene.text(side))), side.lineno - 1, 0.3
    for product in nodes(scene, ast.BinOp):
        if isinstance(product.op, ast.Mult) and isinstance(product.left, ast.List) and len(product.left.elts) == 1:
            inner, times = scene.text(product.left.elts[0]), scene.text(product.right)
            yield scene.swap(product, f"[{inner} for _ in range({times})]"), product.lineno - 1, 1.2


_RETURN_NOTHING = frozenset({
    "append", "extend", "insert", "sort", "reverse", "update", "add", "discard", "clear", "remove", "shuffle", "setdefault",
})  # fmt: skip
_RETURN_ANEW = frozenset({
    "strip", "lstrip", "rstrip", "lower", "upper", "title", "casefold", "replace", "removeprefix", "removesuffix", "format", "union",
    "intersection", "difference", "resolve", "with_suffix", "quantize", "normalize", "astimezone", "ljust", "rjust", "zfill", "copy",
})  # fmt: skip
"""Methods that change their object and give nothing; methods that give a changed copy."""


def results(scene: Scene) -> Found:
    """The result of a method that has none; a changed copy that is thrown away."""
    for node in ast.walk(scene.tree):
        value = node.value if isinstance(node, ast.Assign | ast.Return | ast.Expr) else None
        if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute) or not isinstance(node, ast.stmt):
            continue
        owner, name, line = scene.text(value.func.value), value.func.attr, node.lineno - 1
        rest = ", ".join(scene.text(each) for each in value.args)
        named = ", ".join([*([rest] if rest else []), *(f"{each.arg}={scene.text(each.value)}" for each in value.keywords)])
        if isinstance(node, ast.Expr) and name in _RETURN_ANEW:
            yield scene.swap(node, f"{owner} = {scene.text(node)}"), line, 1.5
        if isinstance(node, ast.Assign | ast.Return) and name in _RETURN_NOTHING:
            if name == "sort":
                yield scene.swap(value, f"sorted({', '.join(part for part in (owner, named) if part)})"), line, 1.5
            if name == "reverse":
                yield scene.swap(value, f"list(reversed({owner}))"), line, 1.5
            if name in ("append", "extend"):
                yield scene.swap(value, f"{owner} + {f'[{rest}]' if name == 'append' else rest}"), line, 1.2
            if name == "update":
                yield scene.swap(value, f"{{**{owner}, **{rest}}}"), line, 1.2
            if name == "add":
                yield scene.swap(value, f"{owner} | {{{rest}}}"), line, 1.2
            if isinstance(node, ast.Assign):
                yield scene.swap(node, scene.text(value)), line, 1.2
            else:
                indent = " " * node.col_offset
                yield scene.swap(node, f"{scene.text(value)}\n{indent}return {owner}"), line, 1.4


_Rewrites = Mapping[str, tuple[tuple[int, str, float], ...]]
"""Name of what is called -> (number of positional arguments, what stands in the call's place, weight)."""

_METHODS: _Rewrites = {
    "get": (
        (1, "{owner}[{first}]", 0.4), (2, "{owner}[{first}]", 0.4), (1, "{owner}.get({first}, 0)", 0.5),
        (1, "{owner}.get({first}, [])", 0.5),
        (1, '{owner}.get({first}, "")', 0.5), (1, "{owner}.get({first}, {first})", 0.5), (1, "{owner}.get({first}, False)", 0.5),
        (1, "{owner}.get({first}, {{}})", 0.5),
    ),
    "pop": ((1, "{owner}.pop({first}, None)", 0.6), (0, "{owner}.pop(0)", 0.6)),
    "split": ((1, "{owner}.split()", 0.5), (1, "{owner}.split({first}, 1)", 0.6), (2, "{owner}.split({first})", 0.5)),
    "rsplit": ((1, "{owner}.rsplit()", 0.5), (1, "{owner}.rsplit({first}, 1)", 0.6), (2, "{owner}.rsplit({first})", 0.5)),
    "strip": ((1, "{owner}.strip()", 0.4), (0, "{owner}", 0.3)),
    "lstrip": ((1, "{owner}.lstrip()", 0.4), (1, "{owner}.removeprefix({first})", 0.9)),
    "rstrip": ((1, "{owner}.rstrip()", 0.4), (1, "{owner}.removesuffix({first})", 0.9)),
    "lower": ((0, "{owner}", 0.3),), "upper": ((0, "{owner}", 0.3),), "casefold": ((0, "{owner}", 0.3),), "copy": ((0, "{owner}", 0.3),),
    "quantize": (
        (1, "{owner}.quantize({all}, rounding=ROUND_HALF_UP)", 0.8), (1, "{owner}.quantize({all}, rounding=ROUND_HALF_EVEN)", 0.8),
        (1, "{owner}.quantize({all}, rounding=ROUND_DOWN)", 0.8), (1, "{owner}.quantize({all}, rounding=ROUND_UP)", 0.8),
    ),
    "append": ((1, "{owner}.insert(0, {first})", 0.5),),
    "mkdir": ((0, "{owner}.mkdir(parents=True, exist_ok=True)", 1.0), (0, "{owner}.mkdir({all}, exist_ok=True)", 1.0)),
    "makedirs": ((1, "{owner}.makedirs({all}, exist_ok=True)", 1.0),), "unlink": ((0, "{owner}.unlink(missing_ok=True)", 0.9),),
    "dumps": (
        (1, "{owner}.dumps({all}, ensure_ascii=False)", 0.7), (1, "{owner}.dumps({all}, sort_keys=True)", 0.7),
        (1, "{owner}.dumps({all}, default=str)", 0.7),
    ),
    "dump": ((2, "{owner}.dump({all}, ensure_ascii=False)", 0.7), (2, "{owner}.dump({all}, sort_keys=True)", 0.7)),
    "run": (
        (1, "{owner}.run({all}, text=True)", 0.8), (1, "{owner}.run({all}, check=True)", 0.8),
        (1, "{owner}.run({all}, capture_output=True)", 0.8), (1, "{owner}.run({all}, capture_output=True, text=True)", 0.8),
    ),
    "check_output": ((1, "{owner}.check_output({all}, text=True)", 0.9),), "fromkeys": ((2, "{{key: {second} for key in {first}}}", 1.2),),
    "time": ((0, "{owner}.monotonic()", 0.7), (0, "{owner}.perf_counter()", 0.5)),
    "join": (
        (1, "{owner}.join(map(str, {first}))", 0.9), (1, "{owner}.join(sorted({first}))", 0.6), (1, "{first}.join({owner})", 0.5),
        (1, "{owner}.join(reversed({first}))", 0.5),
    ),
    "getchildren": ((0, "list({owner})", 2.0),), "has_key": ((1, "{first} in {owner}", 2.0),), "next": ((0, "next({owner})", 1.0),),
    "utcnow": ((0, "{owner}.now(timezone.utc)", 1.5), (0, "{owner}.now(timezone.utc).replace(tzinfo=None)", 1.2)),
    "utcfromtimestamp": ((1, "{owner}.fromtimestamp({first}, timezone.utc)", 1.5),),
    "sample": ((2, "{owner}.sample(sorted({first}), {second})", 0.8),), "setName": ((1, "{owner}.name = {first}", 2.0),),
    "setDaemon": ((1, "{owner}.daemon = {first}", 2.0),), "getName": ((0, "{owner}.name", 2.0),), "isDaemon": ((0, "{owner}.daemon", 2.0),),
}  # fmt: skip
_FUNCTIONS: _Rewrites = {
    "max": ((1, "max({all}, default=0)", 0.7), (1, "max({all}, default=None)", 0.7), (1, 'max({all}, default="")', 0.5)),
    "min": ((1, "min({all}, default=0)", 0.7), (1, "min({all}, default=None)", 0.7), (1, 'min({all}, default="")', 0.5)),
    "next": ((1, "next({first}, None)", 0.6), (1, 'next({first}, "")', 0.6), (1, "next({first}, 0)", 0.6)),
    "sum": ((1, "sum({first}, [])", 0.2),), "zip": ((2, "zip({all}, strict=True)", 0.5), (2, "zip_longest({all})", 0.4)),
    "enumerate": ((1, "enumerate({first}, 1)", 0.7), (1, "enumerate({first}, start=1)", 0.6), (2, "enumerate({first})", 0.6)),
    "int": (
        (1, "{first}", 0.4), (1, "int(({first}).quantize(Decimal(1), rounding=ROUND_HALF_UP))", 0.6), (1, "int({first} + 0.5)", 0.5),
    ),
     "str": ((1, "{first}", 0.4),), "float": ((1, "{first}", 0.4), (1, "Decimal({first})", 0.5)),
    "bool": ((1, "{first}", 0.4),), "list": ((1, "{first}", 0.4), (1, "sorted({first})", 0.6)),
    "sorted": ((1, "{first}", 0.4),), "tuple": ((1, "{first}", 0.4),),
    "set": ((1, "{first}", 0.4), (1, "sorted(set({first}))", 0.5),
        (1, "dict.fromkeys({first})", 0.5)), "round": (
        (1, "{first}", 0.4), (2, "round({first})", 0.4), (1, "int({first} + 0.5)", 0.5), (1, "math.floor({first} + 0.5)", 0.4),
        (2, 'Decimal(str({first})).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)', 0.6),
        (2, 'float(Decimal(str({first})).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP))', 0.5),
        (1, "int(Decimal({first}).quantize(Decimal(1), rounding=ROUND_HALF_UP))", 0.6),
    ),
    "reduce": ((2, "reduce({all}, 1)", 0.7), (2, "reduce({all}, 0)", 0.7), (2, "reduce({all}, [])", 0.5)),
    "Decimal": ((1, "Decimal(str({first}))", 0.9),),
    "isinstance": (
        (2, "{call} and not isinstance({first}, (str, bytes))", 0.7), (2, "{call} and not isinstance({first}, bool)", 0.5),
        (2, "isinstance({first}, (list, tuple))", 0.5), (2, "isinstance({first}, (int, float))", 0.6),
    ),
}  # fmt: skip


def rewritten(scene: Scene) -> Found:
    """A call in another form: with a default, a limit or a rounding, without a conversion, or as its replacement of a removed method."""
    for call in nodes(scene, ast.Call):
        given = [scene.text(each) for each in call.args]
        whole = [*given, *(f"{each.arg}={scene.text(each.value)}" for each in call.keywords if each.arg)]
        method = isinstance(call.func, ast.Attribute)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else scene.text(call.func)
        texts = {
            "owner": scene.text(call.func.value) if isinstance(call.func, ast.Attribute) else "",
            "first": given[0] if given else "",
            "second": given[1] if len(given) > 1 else "",
            "all": ", ".join(whole),
            "call": scene.text(call),
        }
        named = {each.arg for each in call.keywords}
        for count, pattern, weight in (_METHODS if method else _FUNCTIONS).get(name, ()):
            added = re.search(r", (\w+)=\S+\)$", pattern)
            if count == len(given) and not (added and added[1] in named) and ("{all}" in pattern or not named or "{call}" in pattern):
                yield scene.swap(call, pattern.format_map(texts)), call.lineno - 1, weight
        if "loop" in named:
            kept = [each for each in whole if not each.startswith("loop=")]
            yield scene.swap(call, f"{scene.text(call.func)}({', '.join(kept)})"), call.lineno - 1, 1.5


def lookups(scene: Scene) -> Found:
    """A look-up of what may not be there."""
    for node in nodes(scene, ast.Subscript):
        if isinstance(node.ctx, ast.Load) and not isinstance(node.slice, ast.Slice):
            owner, key = scene.text(node.value), scene.text(node.slice)
            for tail in ("", ", 0", ", []", ', ""', ", {}", f", {key}"):
                yield scene.swap(node, f"{owner}.get({key}{tail})"), node.lineno - 1, 0.4


def loops(scene: Scene) -> Found:
    """A loop over a mapping's keys, without numbers, over what it changes, or over the same thing twice."""
    over_what = [(node.target, node.iter) for node in nodes(scene, ast.For)]
    over_what += [(node.target, node.iter) for node in nodes(scene, ast.comprehension)]
    for target, over in over_what:
        text, line = scene.text(over), over.lineno - 1
        if isinstance(target, ast.Tuple) and len(target.elts) == 2:
            yield scene.swap(over, f"{text}.items()"), line, 0.9
            yield scene.swap(over, f"enumerate({text})"), line, 0.8
            if text.endswith(".items()"):
                yield scene.swap(over, text.removesuffix(".items()")), line, 0.5
        if isinstance(over, ast.Name | ast.Attribute | ast.Call):
            for made in ("list({})", "reversed({})", "sorted({})", "{}[1:]", "{}[:-1]", "{}.values()", "{}.copy()", "sorted(set({}))"):
                yield scene.swap(over, made.format(text)), line, 0.4
    for name in scene.parameters:
        if scene.body and sum(node.id == name for node in nodes(scene, ast.Name)) > 1:
            yield scene.insert(scene.body[0].lineno - 1, f"{name} = list({name})"), scene.body[0].lineno - 1, 0.6


_WRAPS = ("str({})", "int({})", "float({})", "len({})", "{}.strip()", "{}.lower()", "{}.encode()", "{}.decode()", "{}.casefold()")
_ROUNDING = ("ROUND_HALF_UP", "ROUND_HALF_EVEN", "ROUND_HALF_DOWN", "ROUND_DOWN", "ROUND_UP", "ROUND_FLOOR", "ROUND_CEILING")


def conversions(scene: Scene) -> Found:
    """A value in the wrong form: text for bytes, a number for text, upper for lower case."""
    compared = [side for node in nodes(scene, ast.Compare) for side in (node.left, *node.comparators)]
    given = [argument for node in nodes(scene, ast.Call) for argument in node.args]
    returned = [node.value for node in nodes(scene, ast.Return) if node.value is not None]
    assigned = [node.value for node in nodes(scene, ast.Assign)]
    keys = [node.slice for node in nodes(scene, ast.Subscript) if not isinstance(node.slice, ast.Slice)]
    for places, weight in ((compared, 0.4), (given, 0.35), (returned, 0.35), (assigned, 0.3), (keys, 0.35)):
        for value in places:
            if isinstance(value, ast.Name | ast.Attribute | ast.Subscript | ast.Call):
                for wrap in _WRAPS:
                    yield scene.swap(value, wrap.format(scene.text(value))), value.lineno - 1, weight
    for value in (*returned, *assigned):
        if isinstance(value, ast.Call | ast.GeneratorExp | ast.Name | ast.ListComp | ast.SetComp):
            made: tuple[str, ...] = ("list({})", "tuple({})", "sorted({})", "set({})", "dict({})", "copy.deepcopy({})")
        elif isinstance(value, ast.BinOp):
            made = ("int({})", "round({})", "round({}, 2)", "str({})", "float({})")
        else:
            continue
        for wrap in made:
            yield scene.swap(value, wrap.format(scene.text(value))), value.lineno - 1, 0.4


def formats(scene: Scene) -> Found:
    """Another rounding; a text that was meant to be filled in."""
    named: list[ast.Name | ast.Attribute] = [*nodes(scene, ast.Name), *nodes(scene, ast.Attribute)]
    for name in named:
        last = name.id if isinstance(name, ast.Name) else name.attr
        for other in _ROUNDING if last in _ROUNDING else ():
            if other != last:
                yield scene.swap(name, scene.text(name).removesuffix(last) + other), name.lineno - 1, 0.8
    inserted = {*scene.parameters, "self"}
    for constant in nodes(scene, ast.Constant):
        text = scene.text(constant)
        if isinstance(constant.value, str) and text[:1] in "'\"" and any(f"{{{name}" in constant.value for name in inserted):
            yield scene.swap(constant, f"f{text}"), constant.lineno - 1, 1.5


def arguments(scene: Scene) -> Found:
    """Any two arguments that have changed places; one that was left out though a parameter of that name is at hand."""
    for node in nodes(scene, ast.Call):
        given = [(each, scene.text(each)) for each in node.args]
        for one in range(len(given)):
            for other in range(one + 2, len(given)):
                pairs = [(given[one][0], given[other][1]), (given[other][0], given[one][1])]
                yield scene.swap_all([*pairs]), node.lineno - 1, 0.5
        named = [(each.value, scene.text(each.value)) for each in node.keywords if each.arg]
        for one in range(len(named)):
            for other in range(one + 1, len(named)):
                swapped = [(named[one][0], named[other][1]), (named[other][0], named[one][1])]
                yield scene.swap_all([*swapped]), node.lineno - 1, 0.5
        name = scene.text(node.func).rsplit(".", 1)[-1]
        wanted = scene.around.functions.get(name, ())
        have = {each.arg for each in node.keywords}
        inside = scene.text(node)[:-1].rstrip().removesuffix(",")
        for parameter in wanted[len(node.args) :]:
            if parameter not in have and parameter in scene.parameters and not any(isinstance(each, ast.Starred) for each in node.args):
                joined = f"{inside}{', ' if node.args or node.keywords else ''}{parameter}={parameter})"
                asked = any(f"{quote}{parameter}{quote}" in scene.said for quote in "'\"")
                yield scene.swap(node, joined), node.lineno - 1, SURE if asked else 0.9


def regular(scene: Scene) -> Found:
    """Loading and dumping, by text or by file."""
    others = {"load": "loads", "loads": "load", "dump": "dumps", "dumps": "dump"}
    for node in nodes(scene, ast.Attribute):
        if node.attr in others and isinstance(node.value, ast.Name):
            yield scene.swap(node, f"{node.value.id}.{others[node.attr]}"), node.lineno - 1, 1.0
