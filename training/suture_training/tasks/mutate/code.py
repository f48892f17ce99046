"""One file as the operators see it: its tree, the place of every node in its text, and which function a place lies in.

Changes are made in the text: what a change does not touch stays as it is to the byte, comments and form included.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import TypeVar

import msgspec

from suture_agent.direct.units import parse

Node = TypeVar("Node", bound=ast.AST)
Placed = ast.expr | ast.stmt | ast.arg | ast.keyword | ast.alias | ast.ExceptHandler
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
"""A line as Python sees it: a form feed ends none."""


class Change(msgspec.Struct, frozen=True):
    """Stretches of a text with what stands in their place, in order, none of which overlap."""

    edits: tuple[tuple[int, int, str], ...]

    @property
    def start(self) -> int:
        """Where it begins."""
        return self.edits[0][0]

    def apply(self, text: str) -> str:
        """The changed text."""
        for start, end, new in reversed(self.edits):
            text = text[:start] + new + text[end:]
        return text


Changes = Iterator[Change]


class Scope(msgspec.Struct, frozen=True):
    """A function, or the module around all of them."""

    name: str
    """Dotted; empty for the module."""
    line: int
    """Its first line, decorators included, counted from 1; 0 for the module."""
    start: int
    end: int
    """Lines from `start` to `end`, counted from 1, both included."""
    node: Function | None = None


class Code:
    """A file that parses."""

    def __init__(self, path: str, text: str, tree: ast.Module) -> None:
        self.path = path
        self.text = text
        self.tree = tree
        self.lines = _LINE.findall(text)
        self._starts = [0]
        for line in self.lines:
            self._starts.append(self._starts[-1] + len(line))
        self.parents: dict[ast.AST, ast.AST] = {}
        self._kinds: dict[type[ast.AST], list[ast.AST]] = {}
        self._frozen: set[ast.AST] = set()
        """Nodes that no operator for behaviour changes: annotations, and what is inside f-strings, whose places cannot be relied on."""
        self._walk()
        self.scopes = (Scope("", 0, 1, len(self.lines) + 1), *_scopes(tree))

    @classmethod
    def read(cls, path: str, text: str) -> Code | None:
        """The file, None where it does not parse."""
        tree = parse(text) if not text.startswith("\ufeff") else None
        return cls(path, text, tree) if tree is not None else None

    def nodes(self, kind: type[Node], *, frozen: bool = False) -> Iterator[Node]:
        """All nodes of a kind, in order; those that are not to be changed only with `frozen`."""
        for node in self._kinds.get(kind, ()):
            if isinstance(node, kind) and (frozen or node not in self._frozen):
                yield node

    def functions(self) -> Iterator[Function]:
        """All functions and methods, in no particular order."""
        yield from self.nodes(ast.FunctionDef)
        yield from self.nodes(ast.AsyncFunctionDef)

    def source(self, node: Placed) -> str:
        """A node's own text."""
        start, end = self.span(node)
        return self.text[start:end]

    def span(self, node: Placed) -> tuple[int, int]:
        """Where a node begins and ends in the text."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
        return self._offset(node.lineno, node.col_offset), self._offset(end_line, end_column)

    def swap(self, node: Placed, new: str) -> Change:
        """A node's text replaced."""
        start, end = self.span(node)
        return Change(((start, end, new),))

    def replace(self, start: int, end: int, new: str) -> Change:
        """A stretch of the text replaced."""
        return Change(((start, end, new),))

    def swap_all(self, *pairs: tuple[Placed, str]) -> Change:
        """The texts of several nodes replaced, none of which lies in another."""
        return Change(tuple(sorted((*self.span(node), new) for node, new in pairs)))

    def between(self, left: Placed, right: Placed, old: str, new: str) -> Change | None:
        """A word between two nodes replaced, the first that stands there outside comments; None where it is not there."""
        start, end = self.span(left)[1], self.span(right)[0]
        bare = re.sub(r"#[^\r\n]*", lambda found: " " * len(found[0]), self.text[start:end])
        found = re.search(rf"(?<![\w<>=!*/&|^-]){re.escape(old)}(?![\w<>=*/&|^])", bare)
        return Change(((start + found.start(), start + found.end(), new),)) if found is not None else None

    def delete(self, node: ast.stmt) -> Change | None:
        """A statement taken out; `pass` in its place where it is the only one. None where it shares its lines with others."""
        whole = self.whole_lines(node)
        if whole is None:
            return None
        body = self.body_of(node)
        alone = body is None or all(each is node or is_docstring(each) for each in body)
        start, end = whole
        indent = self.indent(node)
        return Change(((start, end, f"{indent}pass{self.newline}" if alone else ""),))

    def duplicate(self, node: ast.stmt) -> Change | None:
        """A statement written twice."""
        whole = self.whole_lines(node)
        if whole is None:
            return None
        text = self.text[whole[0] : whole[1]]
        return Change(((whole[0], whole[0], text if text.endswith(("\n", "\r")) else f"{text}{self.newline}"),))

    def whole_lines(self, node: ast.stmt) -> tuple[int, int] | None:
        """Where the lines of a statement, decorators included, begin and end; None where anything but a comment shares them."""
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        last = node.end_lineno or node.lineno
        start, end = self._starts[first - 1], self._starts[last]
        before = self.text[start : self._offset(node.lineno, node.col_offset)] if first == node.lineno else ""
        after = self.text[self.span(node)[1] : end].strip()
        return (start, end) if not before.strip() and (not after or after.startswith("#")) else None

    def body_of(self, node: ast.stmt) -> list[ast.stmt] | None:
        """The list of statements that one is in."""
        parent = self.parents.get(node)
        for field in ("body", "orelse", "finalbody", "handlers"):
            body = getattr(parent, field, None)
            if isinstance(body, list) and node in body:
                return body  # pyright: ignore[reportUnknownVariableType]  # one of ast's lists of statements
        return None

    def bodies(self) -> Iterator[list[ast.stmt]]:
        """Every list of statements."""
        for node in (self.tree, *self.parents):
            for field in ("body", "orelse", "finalbody"):
                body = getattr(node, field, None)
                if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                    yield body  # pyright: ignore[reportUnknownVariableType]  # as above

    def indent(self, node: ast.stmt) -> str:
        """White space before a statement."""
        line: str = self.lines[node.lineno - 1]
        return line[: len(line) - len(line.lstrip())]

    def moved_left(self, body: Sequence[ast.stmt], indent: str) -> str:
        """The lines of a body under another indent; text inside strings over several lines may move along."""
        first = min([body[0].lineno, *(each.lineno for each in getattr(body[0], "decorator_list", []))])
        last = body[-1].end_lineno or body[-1].lineno
        own = self.indent(body[0])
        lines = self.lines[first - 1 : last]
        return "".join(indent + line[len(own) :] if line.startswith(own) else line for line in lines)

    @property
    def newline(self) -> str:
        """How its lines end."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def scope(self, position: int) -> Scope:
        """The innermost function around a place in the text, or the module."""
        return self.scope_of_line(bisect_right(self._starts, position))

    def scope_of_line(self, line: int) -> Scope:
        """The innermost function around a line, counted from 1, or the module."""
        around = [scope for scope in self.scopes if scope.start <= line <= scope.end]
        return max(around, key=lambda scope: (scope.start, scope.line, -scope.end), default=self.scopes[0])

    def function(self, node: ast.AST) -> Function | None:
        """The innermost function around a node."""
        above = self.parents.get(node)
        while above is not None and not isinstance(above, Function):
            above = self.parents.get(above)
        return above

    def _offset(self, line: int, column: int) -> int:
        """Character offset of ast's (line, UTF-8 column)."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return self._starts[line - 1] + (column if text.isascii() else len(text.encode()[:column].decode()))

    def _walk(self) -> None:
        waiting: list[tuple[ast.AST, bool]] = [(self.tree, False)]
        while waiting:
            node, frozen = waiting.pop()
            self._kinds.setdefault(type(node), []).append(node)
            if frozen:
                self._frozen.add(node)
            annotations = [getattr(node, "annotation", None), getattr(node, "returns", None)]
            for child in ast.iter_child_nodes(node):
                self.parents[child] = node
                waiting.append((child, frozen or isinstance(node, ast.JoinedStr) or child in annotations))
        for found in self._kinds.values():
            found.sort(key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))


def is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is only a text."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def without_docstring(body: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
    """A body's statements after its docstring."""
    return body[1:] if body and is_docstring(body[0]) else body


def _scopes(tree: ast.Module) -> Iterator[Scope]:
    waiting: list[tuple[str, ast.AST]] = [("", tree)]
    while waiting:
        prefix, node = waiting.pop()
        for child in ast.iter_child_nodes(node):
            name = f"{prefix}{child.name}" if isinstance(child, Definition) else ""
            if isinstance(child, Function):
                first = min([child.lineno, *(each.lineno for each in child.decorator_list)])
                yield Scope(name, first, first, child.end_lineno or child.lineno, child)
            waiting.append((f"{name}." if name else prefix, child))
