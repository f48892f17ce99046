"""A wrong name: another variable of the function, another attribute of the object, another method or function of the same kind."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from suture_training.tasks.mutate.code import Changes, Code, Function

_METHODS: Mapping[str, tuple[str, ...]] = {
    "append": ("extend",), "extend": ("append",), "add": ("discard",), "update": ("setdefault",),
    "lower": ("upper",), "upper": ("lower",), "title": ("capitalize",), "casefold": ("lower",), "capitalize": ("title",),
    "strip": ("lstrip", "rstrip"), "lstrip": ("strip",), "rstrip": ("strip",), "removeprefix": ("lstrip",), "removesuffix": ("rstrip",),
    "startswith": ("endswith",), "endswith": ("startswith",), "find": ("rfind",), "rfind": ("find",), "index": ("rindex",),
    "split": ("rsplit",), "rsplit": ("split",), "partition": ("rpartition",), "rpartition": ("partition",), "splitlines": ("split",),
    "keys": ("values",), "values": ("keys",), "items": ("keys",), "popleft": ("pop",), "appendleft": ("append",),
    "union": ("intersection",), "intersection": ("union",), "difference": ("intersection",), "issubset": ("issuperset",),
    "issuperset": ("issubset",), "isdigit": ("isalnum",), "isalpha": ("isalnum",), "isupper": ("islower",), "islower": ("isupper",),
    "search": ("match",), "match": ("search", "fullmatch"), "fullmatch": ("match",), "ljust": ("rjust",), "rjust": ("ljust",),
    "discard": ("add",), "encode": ("decode",), "debug": (), "floor": ("ceil",), "ceil": ("floor",), "setdefault": ("get",),
}  # fmt: skip
_FUNCTIONS: Mapping[str, tuple[str, ...]] = {
    "min": ("max",), "max": ("min",), "any": ("all",), "all": ("any",), "int": ("float",), "float": ("int",), "round": ("int",),
    "list": ("set",), "tuple": ("list",), "set": ("list",), "sorted": ("list",), "issubclass": ("isinstance",),
    "repr": ("str",), "str": ("repr",),
    "hasattr": ("callable",), "sum": ("len",), "ord": ("int",), "frozenset": ("tuple",),
}  # fmt: skip
MOST_OTHERS = 3


def variables(code: Code) -> Changes:
    """Another variable of the same function."""
    bound: dict[Function, tuple[str, ...]] = {}
    for node in code.nodes(ast.Name):
        function = code.function(node)
        if function is None or not isinstance(node.ctx, ast.Load) or _is_called(code, node):
            continue
        names = bound.setdefault(function, _bound_in(function))
        if node.id not in names:
            continue
        place = names.index(node.id)
        others = [*names[place + 1 :], *names[:place]]  # those bound nearest after it first
        for other in [each for each in others if each != "self"][:MOST_OTHERS]:
            yield code.swap(node, other)


def attributes(code: Code) -> Changes:
    """Another attribute that the class sets on itself."""
    for owner in code.nodes(ast.ClassDef):
        own = [
            node
            for node in ast.walk(owner)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
        ]
        stored = tuple(dict.fromkeys(node.attr for node in own if isinstance(node.ctx, ast.Store)))
        for node in own:
            if isinstance(node.ctx, ast.Load) and node.attr in stored:
                place = stored.index(node.attr)
                for other in [*stored[place + 1 :], *stored[:place]][: MOST_OTHERS - 1]:
                    yield code.swap(node, f"self.{other}")


def methods(code: Code) -> Changes:
    """Another method of the same kind of object."""
    for node in code.nodes(ast.Call):
        if isinstance(node.func, ast.Attribute):
            for other in _METHODS.get(node.func.attr, ()):
                yield code.swap(node.func, f"{code.source(node.func.value)}.{other}")


def functions(code: Code) -> Changes:
    """Another function of the same kind."""
    for node in code.nodes(ast.Call):
        if isinstance(node.func, ast.Name) and node.args:
            for other in _FUNCTIONS.get(node.func.id, ()):
                yield code.swap(node.func, other)


def renamed(code: Code) -> Changes:
    """Half a rename: a method or a function has a new name, and its callers do not know."""
    for node in code.functions():
        nested = isinstance(code.parents.get(node), ast.FunctionDef | ast.AsyncFunctionDef)
        if nested or node.name.startswith("__") or node.decorator_list:
            continue
        start = code.span(node)[0]
        at = code.text.index(node.name, start + len("def"))
        new = node.name.lstrip("_") if node.name.startswith("_") else f"_{node.name}"
        yield code.replace(at, at + len(node.name), new)


def keys(code: Code) -> Changes:
    """A key of a dictionary that is written in another way than where it is read."""
    for node in code.nodes(ast.Subscript):
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str) and node.slice.value.isidentifier():
            word = node.slice.value
            other = word[:-1] if word.endswith("s") and len(word) > 2 else f"{word}s"
            yield code.swap(node.slice, repr(other))


def _is_called(code: Code, node: ast.Name) -> bool:
    above = code.parents.get(node)
    return isinstance(above, ast.Call) and above.func is node


def _bound_in(function: Function) -> tuple[str, ...]:
    """Parameters and variables of a function, in the order in which they are bound."""
    every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]
    names = [each.arg for each in every]
    stored = [node for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    names += [node.id for node in sorted(stored, key=lambda node: (node.lineno, node.col_offset))]
    return tuple(dict.fromkeys(name for name in names if name != "_"))
