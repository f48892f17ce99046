"""What the operators look at: one unit's text and tree, what its file offers, and what the failure said."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

import msgspec

from suture_agent.direct.units import Unit
from suture_sandbox.text import lines_with_ends

Node = TypeVar("Node", bound=ast.AST)
Placed = ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias
SURE = 2.0
"""Weight of what the message all but spells out."""
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""A line as Python sees it: a form feed or a U+2028 ends none."""
Found = Iterator[tuple[str, int, float]]
"""(new source, zero-based line, weight)."""


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit could have meant instead: the names that its file, its class and the workspace's modules offer."""

    fields: tuple[str, ...] = ()
    """Attributes that the unit's class sets on `self`."""
    members: tuple[str, ...] = ()
    """Attributes and methods of the classes of the file, and of those that it imports from the workspace."""
    methods: frozenset[str] = frozenset()
    """Members that can be called without arguments."""
    functions: Mapping[str, tuple[str, ...]] = {}
    """Functions and classes of the file or imported from the workspace -> names of their parameters, `self` left out."""
    constants: tuple[str, ...] = ()
    """Names that the file assigns at module level."""
    tables: tuple[str, ...] = ()
    """Constants that hold a dictionary."""
    modules: Mapping[str, tuple[str, ...]] = {}
    """Modules of the workspace -> names that they define at module level."""
    unbound: tuple[str, ...] = ()
    """Names that the file uses and never binds."""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What the operators look at."""

    unit: Unit
    source: str
    tree: ast.Module
    raised: tuple[str, ...] = ()
    """Exceptions that the failing tests expect or show."""
    said: str = ""
    """What the failure says: the messages of the findings."""
    pointed: int | None = None
    """The unit's line, counted from its first, that a tool or a traceback names."""
    around: Around = Around()

    def text(self, node: ast.AST) -> str:
        """The node's own text; empty for a node without a place."""
        line, end = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        if not line or not end:
            return ""
        lines = _encoded(self.source)
        start, stop = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0)
        if line == end:
            return lines[line - 1][start:stop].decode()
        return b"".join([lines[line - 1][start:], *lines[line : end - 1], lines[end - 1][:stop]]).decode()

    def swap(self, node: Placed, text: str) -> str:
        """The source with the node's text replaced."""
        return self.swap_all([(node, text)])

    def swap_all(self, pairs: Sequence[tuple[Placed, str]]) -> str:
        """The source with the texts of several nodes replaced, none of which lies in another."""
        return replaced(self.source, pairs)

    def insert(self, line: int, text: str, *, like: int | None = None) -> str:
        """The source with lines inserted before the zero-based line, indented like it, or like the line `like`."""
        lines = lines_with_ends(self.source)
        model = lines[line if like is None else like]
        indent = model[: len(model) - len(model.lstrip())]
        made = "".join(f"{indent}{each}\n" for each in text.splitlines())
        return "".join(lines[:line]) + made + "".join(lines[line:])

    @property
    def function(self) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        """The function that the unit is; None for anything else."""
        node = self.tree.body[0] if self.tree.body else None
        return node if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None

    @property
    def owner(self) -> ast.ClassDef | None:
        """The class that the unit is; None for anything else."""
        node = self.tree.body[0] if self.tree.body else None
        return node if isinstance(node, ast.ClassDef) else None

    @property
    def body(self) -> list[ast.stmt]:
        """The function's statements without its docstring; empty where there is no function."""
        function = self.function
        if function is None:
            return []
        return function.body[1:] if is_docstring(function.body[0]) and len(function.body) > 1 else function.body

    @property
    def parameters(self) -> list[str]:
        """The function's parameters without `self` and `cls`."""
        function = self.function
        every = [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs] if function is not None else []
        return [each.arg for each in every if each.arg not in ("self", "cls")]


@lru_cache(maxsize=64)
def _encoded(source: str) -> tuple[bytes, ...]:
    """The lines as ast counts columns: in bytes of UTF-8."""
    return tuple(line.encode() for line in _LINE.findall(source))


def nodes(scene: Scene, kind: type[Node]) -> list[Node]:
    """All nodes of a kind."""
    return within(scene.tree, kind)


def within(tree: ast.AST, kind: type[Node]) -> list[Node]:
    """All nodes of a kind in a part of the tree."""
    return [node for node in ast.walk(tree) if isinstance(node, kind)]


def bodies(tree: ast.AST) -> Iterator[list[ast.stmt]]:
    """Every list of statements, the module's own left out."""
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            body = getattr(node, field, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt) and not isinstance(node, ast.Module):
                yield body


def local_names(scene: Scene) -> list[str]:
    """Parameters and assigned names."""
    names = {node.arg for node in nodes(scene, ast.arg)}
    names |= {node.id for node in nodes(scene, ast.Name) if isinstance(node.ctx, ast.Store)}
    return sorted(names)


def first(node: ast.stmt) -> int:
    """Zero-based first line of a statement, decorators included."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is only a text."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def replaced(source: str, pairs: Sequence[tuple[Placed, str]]) -> str:
    """A source with the texts of several of its nodes replaced, none of which lies in another."""
    lines = _LINE.findall(source)
    for node, text in sorted(pairs, key=lambda pair: (-pair[0].lineno, -pair[0].col_offset)):
        start = offset(lines, node.lineno, node.col_offset)
        end = offset(lines, node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        source = source[:start] + text + source[end:]
    return source


def offset(lines: Sequence[str], line: int, column: int) -> int:
    """Character offset of ast's (line, UTF-8 column)."""
    return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())
