"""Units: the pieces of a Python file that a small policy is asked to write anew, and the splicing of an answer into the file."""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from typing import Literal

import msgspec

from suture_sandbox.text import lines_with_ends

Kind = Literal["function", "class", "head", "statement"]
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

_LONG_NUMBER = re.compile(r"0[xXoObB][0-9a-fA-F_]{3000}")
_LARGEST_BITS = 14_000
"""4,300 decimal digits have 14,284; a number written in decimal is refused by the parser itself."""
LONGEST_HEAD = 60
"""Lines of a module's head that are shown as one unit; a longer one is cut down to the statement that matters."""


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """A piece of a file: whole lines, from `start` up to, not including, `end` (zero-based)."""

    path: str
    name: str
    """Dotted name such as `Cart.total`; for a head or a statement what it is."""
    kind: Kind
    start: int
    end: int
    indent: str
    """White space before the first line in the file; the source is shown without it."""
    source: str
    """Text without the common indent, ending in a line end."""
    opening: str = ""
    """The beginning that an answer must keep: decorators, signature and docstring; empty for heads and statements."""

    @property
    def lines(self) -> int:
        """Length in lines."""
        return self.end - self.start


def parse(text: str) -> ast.Module | None:
    """The syntax tree, None when the text is not valid Python or has an integer that Python refuses to print (more than 4,300 digits).

    What Python would warn about in it is not told.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
    return None if _LONG_NUMBER.search(text) and any(map(_is_unprintable, ast.walk(tree))) else tree


def _is_unprintable(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value.bit_length() > _LARGEST_BITS


def first_line(node: ast.stmt) -> int:
    """Zero-based first line of a statement, decorators included."""
    decorators = node.decorator_list if isinstance(node, Definition) else []
    return min([node.lineno, *(decorator.lineno for decorator in decorators)]) - 1


def definitions(tree: ast.Module) -> list[tuple[str, Definition]]:
    """All functions and classes with their dotted names, outer before inner; functions inside functions are left out."""
    found: list[tuple[str, Definition]] = []

    def walk(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, Definition):
                found.append((f"{prefix}{node.name}", node))
                if isinstance(node, ast.ClassDef):
                    walk(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.If | ast.Try | ast.With):
                walk(node.body, prefix)

    walk(tree.body, "")
    return found


def unit_of(path: str, text: str, name: str, node: Definition) -> Unit:
    """The unit of a function or class."""
    lines = lines_with_ends(text)
    start, end = first_line(node), node.end_lineno or node.lineno
    indent = lines[start][: len(lines[start]) - len(lines[start].lstrip())]
    source = _dedented(lines[start:end], indent)
    return Unit(
        path=path,
        name=name,
        kind="class" if isinstance(node, ast.ClassDef) else "function",
        start=start,
        end=end,
        indent=indent,
        source=source,
        opening=_opening(node, lines, start, indent),
    )


def unit_named(path: str, text: str, name: str) -> Unit | None:
    """The unit with that dotted name, None where there is none."""
    tree = parse(text)
    if tree is None:
        return None
    return next((unit_of(path, text, each, node) for each, node in definitions(tree) if each == name), None)


def unit_at(path: str, text: str, line: int) -> Unit | None:
    """The innermost function around a zero-based line; a class where it is between its methods; else the module-level piece."""
    tree = parse(text)
    if tree is None:
        return _around(path, text, line)
    around = [(name, node) for name, node in definitions(tree) if first_line(node) <= line < (node.end_lineno or node.lineno)]
    if around:
        name, node = around[-1]
        return unit_of(path, text, name, node)
    return head_unit(path, text, line)


def head_unit(path: str, text: str, line: int = 0) -> Unit | None:
    """The module-level code up to the first definition when `line` lies in it, else the module-level statement at `line`."""
    tree = parse(text)
    if tree is None or not tree.body:
        return _around(path, text, line)
    lines = lines_with_ends(text)
    first = next((first_line(node) for node in tree.body if isinstance(node, Definition)), len(lines))
    while first > 0 and not lines[first - 1].strip():
        first -= 1
    if line < first <= LONGEST_HEAD:
        return Unit(path=path, name="the module's head", kind="head", start=0, end=first, indent="", source=_dedented(lines[:first], ""))
    node = next((each for each in tree.body if first_line(each) <= line < (each.end_lineno or each.lineno)), None)
    if node is None:
        return None
    start, end = first_line(node), node.end_lineno or node.lineno
    return Unit(
        path=path, name=f"line {start + 1}", kind="statement", start=start, end=end, indent="", source=_dedented(lines[start:end], "")
    )


def splice(text: str, unit: Unit, replacement: str) -> str:
    """The file with the unit's lines replaced; the line ends of the file are kept."""
    start, end = extent(text, unit)
    return text[:start] + placed(text, unit, replacement) + text[end:]


def extent(text: str, unit: Unit) -> tuple[int, int]:
    """Character offsets of the unit's first and last line in its file."""
    lines = lines_with_ends(text)
    start = sum(map(len, lines[: unit.start]))
    return start, start + sum(map(len, lines[unit.start : unit.end]))


def placed(text: str, unit: Unit, replacement: str) -> str:
    """A new source of the unit as it stands in the file: indented, with the file's line ends."""
    body = textwrap.indent(replacement.strip("\n") + "\n", unit.indent, lambda line: bool(line.strip()))
    if "\r\n" in text:
        body = body.replace("\n", "\r\n")
    last = extent(text, unit)[1] == len(text) and not text.endswith(("\n", "\r"))
    return body.rstrip("\r\n") if last else body


def _dedented(lines: list[str], indent: str) -> str:
    text = "".join(line.removeprefix(indent) for line in lines).replace("\r\n", "\n")
    return text if text.endswith("\n") else f"{text}\n"


def _opening(node: Definition, lines: list[str], start: int, indent: str) -> str:
    """Lines up to the first statement of the body, the docstring included."""
    first = node.body[0]
    docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    end = (first.end_lineno or first.lineno) if docstring and len(node.body) > 1 else first_line(first)
    if end <= start or (not docstring and first.lineno == node.lineno):
        return ""
    return _dedented(lines[start:end], indent)


def _around(path: str, text: str, line: int) -> Unit | None:
    """In a file that does not parse: the lines from the nearest definition above the line to the next one below it."""
    lines = lines_with_ends(text)
    if not lines:
        return None
    line = min(line, len(lines) - 1)
    tops = [i for i, each in enumerate(lines) if each.startswith(("def ", "class ", "async def ", "@"))]
    start = max((i for i in tops if i <= line), default=0)
    while start > 0 and lines[start - 1].startswith("@"):
        start -= 1
    end = min((i for i in tops if i > line), default=len(lines))
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    return Unit(
        path=path,
        name=f"lines {start + 1} to {end}",
        kind="statement",
        start=start,
        end=end,
        indent="",
        source=_dedented(lines[start:end], ""),
    )
