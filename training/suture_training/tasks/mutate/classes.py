"""Definitions: defaults, decorators, what a class sets up, inherits or keeps."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from suture_training.tasks.mutate.code import Change, Changes, Code, Definition, Function

_TELLING = frozenset(
    {"property", "staticmethod", "classmethod", "cached_property", "contextmanager", "wraps", "total_ordering", "lru_cache", "cache"}
)


def defaults(code: Code) -> Changes:
    """A parameter with another default."""
    for _, default in _defaults(code):
        if isinstance(default, ast.Constant):
            value = default.value
            if isinstance(value, bool):
                yield code.swap(default, str(not value))
            elif isinstance(value, int):
                yield code.swap(default, str(value + 1))
            elif isinstance(value, str):
                yield code.swap(default, '" "' if not value else '""')
            elif value is None:
                yield code.swap(default, "False")


def mutable_default(code: Code) -> Changes:
    """A default that all calls share, where each call had one of its own."""
    for function in code.functions():
        for argument, default in _defaults_of(function):
            if not isinstance(default, ast.Constant) or default.value is not None:
                continue
            for node in function.body:
                fresh = _fresh(node, argument.arg)
                if fresh is not None and (deleted := code.delete(node)) is not None:
                    yield Change((*code.swap(default, fresh).edits, *deleted.edits))


def missing_decorator(code: Code) -> Changes:
    """A decorator that changes what a function is, left out."""
    definitions: list[Definition] = [*code.functions(), *code.nodes(ast.ClassDef)]
    for definition in definitions:
        for decorator in definition.decorator_list:
            named = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = named.id if isinstance(named, ast.Name) else named.attr if isinstance(named, ast.Attribute) else ""
            if name in _TELLING and decorator.lineno == decorator.end_lineno:
                start, _ = code.span(decorator)
                first = code.text.rfind("\n", 0, start) + 1
                end = code.text.find("\n", start) + 1
                if code.text[first:start].strip() == "@" and end:
                    yield code.replace(first, end, "")


def missing_super(code: Code) -> Changes:
    """A call of what is inherited, left out."""
    for node in code.nodes(ast.Expr):
        call = node.value
        inherited = isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Call)
        if inherited and code.source(call).startswith("super()") and (change := code.delete(node)) is not None:
            yield change


def forgotten_self(code: Code) -> Changes:
    """A value that is put into a variable instead of the object."""
    for node in code.nodes(ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == "self":
                yield code.swap(target, target.attr)


def missing_base(code: Code) -> Changes:
    """A class without one of its bases."""
    for node in code.nodes(ast.ClassDef):
        if len(node.bases) == 1 and not node.keywords:
            start, end = code.text.find("(", code.span(node)[0]), code.span(node.bases[0])[1]
            if code.text[end : end + 1] == ")" and code.text[start + 1 : end] == code.source(node.bases[0]):
                yield code.replace(start, end + 1, "")


def other_result(code: Code) -> Changes:
    """`NotImplemented`, `self` or an empty container given back as something that is nearly the same."""
    for node in code.nodes(ast.Return):
        text = code.source(node.value) if node.value is not None else ""
        new = {
            "NotImplemented": "False",
            "self": "None",
            "[]": "None",
            "{}": "None",
            "()": "None",
            "None": "False",
            '""': "None",
            "''": "None",
        }.get(text)
        if node.value is not None and new is not None:
            yield code.swap(node.value, new)


def _defaults(code: Code) -> Iterator[tuple[ast.arg, ast.expr]]:
    for function in code.functions():
        yield from _defaults_of(function)


def _defaults_of(function: Function) -> Iterator[tuple[ast.arg, ast.expr]]:
    """Parameters with their defaults."""
    plain = [*function.args.posonlyargs, *function.args.args]
    yield from zip(plain[len(plain) - len(function.args.defaults) :], function.args.defaults, strict=True)
    for argument, default in zip(function.args.kwonlyargs, function.args.kw_defaults, strict=True):
        if default is not None:
            yield argument, default


def _fresh(node: ast.stmt, name: str) -> str | None:
    """`[]`, `{}` or `set()` where a statement is `if NAME is None: NAME = []` or its like."""
    if not isinstance(node, ast.If) or node.orelse or len(node.body) != 1:
        return None
    made = node.body[0]
    test = ast.unparse(node.test)
    if test not in (f"{name} is None", f"not {name}") or not isinstance(made, ast.Assign) or ast.unparse(made.targets[0]) != name:
        return None
    value = ast.unparse(made.value)
    return value if value in ("[]", "{}", "set()", "dict()", "list()") else None
