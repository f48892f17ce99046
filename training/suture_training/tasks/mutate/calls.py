"""A call that is made wrongly or forgotten: swapped or missing arguments, a conversion, a copy, an `await`, a last step left out."""

from __future__ import annotations

import ast
import itertools

from suture_training.tasks.mutate.code import Change, Changes, Code

_STEPS = frozenset(
    {
        *("strip", "lstrip", "rstrip", "lower", "upper", "casefold", "title", "capitalize", "splitlines", "expandtabs"),
        *("copy", "deepcopy", "encode", "decode", "resolve", "absolute", "normalize", "total_seconds", "date", "close", "flush"),
    }
)
"""Methods without arguments of which the value goes on without them."""
_COPIES = frozenset({"copy", "deepcopy"})
_WRAPPERS = frozenset(
    {"list", "tuple", "set", "sorted", "reversed", "str", "int", "float", "abs", "bool", "iter", "round", "dict", "bytes"}
)


def swapped(code: Code) -> Changes:
    """Two neighbouring arguments the wrong way round."""
    for node in code.nodes(ast.Call):
        plain = [each for each in node.args if not isinstance(each, ast.Starred)]
        for left, right in itertools.pairwise(plain):
            texts = code.source(left), code.source(right)
            if texts[0] != texts[1] and not (isinstance(left, ast.Constant) and isinstance(right, ast.Constant)):
                yield code.swap_all((left, texts[1]), (right, texts[0]))


def missing_argument(code: Code) -> Changes:
    """A keyword, or the last of several arguments, that is left out."""
    for node in code.nodes(ast.Call):
        parts: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        for index, part in enumerate(parts):
            named = isinstance(part, ast.keyword) and part.arg is not None
            last = index == len(parts) - 1 and index > 0 and not isinstance(part, ast.Starred | ast.keyword)
            if (named or last) and (change := _without(code, node, parts, index)) is not None:
                yield change


def missing_step(code: Code) -> Changes:
    """`text` for `text.strip()`, `text.lower()` and their like."""
    for node in code.nodes(ast.Call):
        if isinstance(node.func, ast.Attribute) and not node.args and not node.keywords and node.func.attr in _STEPS - _COPIES:
            yield code.swap(node, code.source(node.func.value))


def missing_copy(code: Code) -> Changes:
    """What was copied is shared."""
    for node in code.nodes(ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _COPIES or node.keywords:
            continue
        if len(node.args) == 1:
            yield code.swap(node, code.source(node.args[0]))
        elif not node.args and isinstance(node.func, ast.Attribute):
            yield code.swap(node, code.source(node.func.value))
    for cut in code.nodes(ast.Subscript):
        whole = isinstance(cut.slice, ast.Slice) and cut.slice.lower is cut.slice.upper is cut.slice.step is None
        if whole and isinstance(cut.ctx, ast.Load):
            yield code.swap(cut, code.source(cut.value))


def missing_wrapper(code: Code) -> Changes:
    """`x` for `list(x)`, `int(x)`, `sorted(x)` and their like."""
    for node in code.nodes(ast.Call):
        if (
            isinstance(node.func, ast.Name)
            and node.func.id in _WRAPPERS
            and len(node.args) == 1
            and not isinstance(node.args[0], ast.Starred)
        ):
            inner = code.source(node.args[0])
            yield code.swap(node, f"({inner})" if isinstance(node.args[0], ast.GeneratorExp) and not inner.startswith("(") else inner)


def missing_await(code: Code) -> Changes:
    """A coroutine that nobody waits for."""
    for node in code.nodes(ast.Await):
        yield code.swap(node, code.source(node.value))


def missing_call(code: Code) -> Changes:
    """A function in place of what it returns."""
    for node in code.nodes(ast.Call):
        method = isinstance(node.func, ast.Attribute) and node.func.attr not in _STEPS
        if method and not node.args and not node.keywords and not isinstance(code.parents.get(node), ast.Expr):
            yield code.swap(node, code.source(node.func))


def _without(code: Code, node: ast.Call, parts: list[ast.expr | ast.keyword], index: int) -> Change | None:
    """The call without one argument and the comma beside it; None where parentheses or comments come between."""
    start, end = code.span(parts[index])
    if index:
        start = code.span(parts[index - 1])[1]
        fits = code.text[start : code.span(parts[index])[0]].strip() == ","
    elif len(parts) > 1:
        end = code.span(parts[1])[0]
        fits = code.text[code.span(parts[0])[1] : end].strip() == ","
    else:
        fits = code.text[end : code.span(node)[1]].strip() in (")", ",)")
    return code.replace(start, end, "") if fits else None
