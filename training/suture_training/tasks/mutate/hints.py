"""Annotations that say something else than the code does: for the type checker. What runs stays as it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from suture_training.tasks.mutate.code import Changes, Code

_OTHERS: Mapping[str, str] = {
    "int": "str", "str": "int", "float": "str", "bool": "str", "bytes": "str", "list": "dict", "dict": "list", "set": "list",
    "tuple": "list",
    "None": "int", "Iterator": "Sequence", "Sequence": "int", "Iterable": "int", "Mapping": "str", "Path": "str", "Any": "int",
    "List": "Dict", "Dict": "List",
}  # fmt: skip


def wrong(code: Code) -> Changes:
    """Another type than what is given or given back."""
    for annotation in _annotations(code):
        for node in ast.walk(annotation):
            name = node.id if isinstance(node, ast.Name) else "None" if isinstance(node, ast.Constant) and node.value is None else ""
            if name in _OTHERS and isinstance(node, ast.Name | ast.Constant):
                yield code.swap(node, _OTHERS[name])


def not_optional(code: Code) -> Changes:
    """A type that leaves out `None`."""
    for annotation in _annotations(code):
        if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
            for side, other in ((annotation.left, annotation.right), (annotation.right, annotation.left)):
                if isinstance(side, ast.Constant) and side.value is None:
                    yield code.swap(annotation, code.source(other))
        elif isinstance(annotation, ast.Subscript) and code.source(annotation.value).endswith("Optional"):
            yield code.swap(annotation, code.source(annotation.slice))


def too_wide(code: Code) -> Changes:
    """A type that lets `None` in where nobody expects it."""
    for function in code.functions():
        if function.returns is not None and code.source(function.returns) in ("int", "str", "float", "bool", "bytes"):
            yield code.swap(function.returns, f"{code.source(function.returns)} | None")


def unannotated(code: Code) -> Changes:
    """A parameter or a result without its type: for a strict checker."""
    for function in code.functions():
        if function.returns is not None:
            end = code.span(function.returns)[1]
            start = code.text.rfind("->", code.span(function)[0], code.span(function.returns)[0])
            if start >= 0:
                yield code.replace(len(code.text[:start].rstrip()), end, "")
        every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        for argument in every:
            if argument.annotation is not None:
                yield code.swap(argument, argument.arg)


def _annotations(code: Code) -> Iterator[ast.expr]:
    """Every annotation that stands in the text as code."""
    for function in code.functions():
        every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
        yield from (each.annotation for each in every if each.annotation is not None)
        if function.returns is not None:
            yield function.returns
    for node in code.nodes(ast.AnnAssign):
        yield node.annotation
