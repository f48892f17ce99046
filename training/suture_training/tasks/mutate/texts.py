"""Texts: format specifications, regular expressions, separators, encodings."""

from __future__ import annotations

import ast
import re

from suture_training.tasks.mutate.code import Changes, Code

_FIELD = re.compile(r"(?<!\{)\{[^{}!:]*(![rsa])?(:[^{}\[\]]+)?\}(?!\})")
_WIDTH = re.compile(r"\d+")
_SHORT = 24
_EXPRESSIONS = frozenset({"compile", "match", "search", "fullmatch", "sub", "subn", "split", "findall", "finditer"})
_QUIET = frozenset({"debug", "info", "warning", "error", "exception", "warn", "print", "log"})


def formats(code: Code) -> Changes:
    """A format specification that rounds, fills or quotes in another way."""
    called = [node for node in code.nodes(ast.Constant) if isinstance(node.value, str) and _is_formatted(code, node)]
    for node in (*code.nodes(ast.JoinedStr), *called):
        start, text = code.span(node)[0], code.source(node)
        for field in _FIELD.finditer(text):
            if field[1]:
                yield code.replace(start + field.start(1), start + field.end(1), "" if field[1] != "!s" else "!r")
            if field[2]:
                yield code.replace(start + field.start(2), start + field.end(2), "")
                for number in _WIDTH.finditer(field[2]):
                    at = start + field.start(2) + number.start()
                    yield code.replace(at, at + len(number[0]), str(int(number[0]) + 1))
                for old, new in (("<", ">"), (">", "<"), ("d", "x"), ("f", "e"), ("0", "")):
                    if old in field[2]:
                        at = start + field.start(2) + field[2].index(old)
                        yield code.replace(at, at + len(old), new)


def patterns(code: Code) -> Changes:
    """A regular expression that takes a little more or a little less."""
    for node in code.nodes(ast.Call):
        called = node.func
        known = isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in ("re", "regex")
        if not known or not isinstance(called, ast.Attribute) or called.attr not in _EXPRESSIONS or not node.args:
            continue
        pattern = node.args[0]
        if not isinstance(pattern, ast.Constant) or not isinstance(pattern.value, str) or code.source(pattern).count("\n"):
            continue
        start, text = code.span(pattern)[0], code.source(pattern)
        for old, new in (
            ("+", "*"),
            ("*", "+"),
            ("^", ""),
            ("$", ""),
            (r"\d", r"\w"),
            (r"\w", r"\d"),
            (r"\s", " "),
            ("*?", "*"),
            ("+?", "+"),
            (r"\b", ""),
        ):
            for found in re.finditer(re.escape(old), text):
                if text[found.start() - 1] not in "\\[(":
                    yield code.replace(start + found.start(), start + found.end(), new)


def literals(code: Code) -> Changes:
    """A short text that lacks a character, or has other letters: a separator, a suffix, a mark."""
    for node in code.nodes(ast.Constant):
        if not isinstance(node.value, str) or not 0 < len(node.value) <= _SHORT or _says_little(code, node):
            continue
        text = code.source(node)
        if not re.fullmatch(r"""(["'])[^"'\\\n{}]+\1""", text):
            continue
        inner, quote = text[1:-1], text[0]
        if inner != inner.strip():
            yield code.swap(node, f"{quote}{inner.strip()}{quote}")
        elif len(inner) > 1:
            yield code.swap(node, f"{quote}{inner[:-1]}{quote}")
        else:
            yield code.swap(node, f"{quote}{inner} {quote}")
        if inner.swapcase() != inner:
            yield code.swap(node, f"{quote}{inner.lower() if inner.lower() != inner else inner.upper()}{quote}")


def encodings(code: Code) -> Changes:
    """Another encoding, or another way to meet what cannot be encoded."""
    others = {
        "utf-8": "ascii",
        "utf8": "ascii",
        "ascii": "utf-16",
        "latin-1": "utf-8",
        "replace": "ignore",
        "ignore": "replace",
        "strict": "ignore",
    }
    for node in code.nodes(ast.Constant):
        if isinstance(node.value, str) and node.value.lower() in others and isinstance(code.parents.get(node), ast.Call | ast.keyword):
            yield code.swap(node, repr(others[node.value.lower()]))


def _is_formatted(code: Code, node: ast.Constant) -> bool:
    """Whether a text is what `.format` is called on."""
    above = code.parents.get(node)
    return isinstance(above, ast.Attribute) and above.attr == "format"


def _says_little(code: Code, node: ast.Constant) -> bool:
    """Whether a text is a docstring, a message or the name of something: what no test looks at, or what other operators change."""
    above = code.parents.get(node)
    while isinstance(above, ast.BinOp | ast.JoinedStr | ast.keyword | ast.FormattedValue):
        above = code.parents.get(above)
    if isinstance(above, ast.Expr | ast.Raise):
        return True
    if not isinstance(above, ast.Call):
        return isinstance(above, ast.Subscript)
    name = above.func.attr if isinstance(above.func, ast.Attribute) else above.func.id if isinstance(above.func, ast.Name) else ""
    return name in _QUIET or name.endswith(("Error", "Warning", "Exception")) or name in _EXPRESSIONS
