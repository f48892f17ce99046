"""From a policy's answer to the new text of a file: cut the code out, check that it fits, add the imports it forgot."""

from __future__ import annotations

import ast
import builtins
import copy
import sys
from collections.abc import Mapping, Sequence

from suture_agent.direct.units import Definition, Unit, definitions, first_line, parse, splice
from suture_agent.imports import bound_names, used_names
from suture_sandbox.text import lines_with_ends

_FENCE = "```"
_KNOWN_HOMES = {
    "Any": "typing", "Optional": "typing", "Union": "typing", "TypeVar": "typing", "Protocol": "typing", "cast": "typing",
    "Callable": "collections.abc", "Iterable": "collections.abc", "Iterator": "collections.abc", "Mapping": "collections.abc",
    "MutableMapping": "collections.abc", "AsyncIterator": "collections.abc", "Sequence": "collections.abc", "Hashable": "collections.abc",
    "defaultdict": "collections", "Counter": "collections", "OrderedDict": "collections", "deque": "collections",
    "namedtuple": "collections",
    "dataclass": "dataclasses", "field": "dataclasses", "replace": "dataclasses",
    "datetime": "datetime", "timedelta": "datetime", "timezone": "datetime", "date": "datetime",
    "Decimal": "decimal", "ROUND_HALF_UP": "decimal", "Fraction": "fractions", "Path": "pathlib", "Enum": "enum",
    "contextmanager": "contextlib", "suppress": "contextlib", "wraps": "functools", "lru_cache": "functools",
    "cached_property": "functools",
    "zip_longest": "itertools", "ROUND_HALF_EVEN": "decimal", "ROUND_DOWN": "decimal", "ROUND_UP": "decimal",
    "InvalidOperation": "decimal", "DivisionByZero": "decimal", "JSONDecodeError": "json", "BadZipFile": "zipfile",
    "ParseError": "xml.etree.ElementTree", "TOMLDecodeError": "tomllib", "CalledProcessError": "subprocess",
    "TimeoutExpired": "subprocess", "IncompleteReadError": "asyncio", "CancelledError": "asyncio", "QueueEmpty": "asyncio",
    "QueueFull": "asyncio", "Empty": "queue", "Full": "queue", "ZoneInfoNotFoundError": "zoneinfo",
    "FrozenInstanceError": "dataclasses", "StatisticsError": "statistics", "IntegrityError": "sqlite3", "OperationalError": "sqlite3",
    "partial": "functools", "reduce": "functools", "deepcopy": "copy", "chain": "itertools", "groupby": "itertools",
}  # fmt: skip
"""Where names that small policies use without importing come from."""


def code_in(answer: str, prefill: str) -> str:
    """The code of an answer that continues `prefill`, up to the closing fence."""
    text = prefill + answer
    if _FENCE in text:
        text = text.split(_FENCE, 1)[1]
        text = text.split("\n", 1)[1] if "\n" in text else ""
        text = text.split(_FENCE, 1)[0]
    return text.rstrip() + "\n"


def without_remark(code: str, remark: str) -> str:
    """The code without the comment lines in which the policy was made to say what it mends."""
    return "".join(line for line in lines_with_ends(code) if not line.lstrip().startswith(remark.strip()))


def rewrite(text: str, unit: Unit, code: str, homes: Mapping[str, str] | None = None) -> str | None:
    """The file with `code` in place of the unit; None when the code cannot stand there or changes nothing.

    `homes`: names of the workspace's own modules -> the import that gives each.
    """
    replacement = _fitting(unit, code)
    if replacement is None:
        return None
    new = splice(text, unit, replacement)
    tree, old = parse(new), parse(text)
    if tree is None or (old is not None and ast.dump(tree) == ast.dump(old)):
        return None
    return complete_imports(new, tree, already=used_names(old) if old else set(), homes=homes or {})


def complete_imports(text: str, tree: ast.Module, *, already: set[str], homes: Mapping[str, str]) -> str:
    """Add imports of names that the new code uses, the old did not, and nothing defines: from the standard library or from `homes`."""
    missing = sorted(used_names(tree) - already - bound_names(tree) - set(dir(builtins)))
    return with_lines(text, tree, [line for name in missing if (line := homes.get(name) or home_of(name))])


def home_of(name: str) -> str:
    """The import of a well-known name or module of the standard library; empty for any other."""
    if name in _KNOWN_HOMES:
        return f"from {_KNOWN_HOMES[name]} import {name}"
    return f"import {name}" if name in sys.stdlib_module_names else ""


def with_lines(text: str, tree: ast.Module, lines: Sequence[str]) -> str:
    """The text with lines added after its imports."""
    if not lines:
        return text
    at = _import_line(tree)
    kept = lines_with_ends(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    blank = newline if at == 0 or not any(isinstance(node, ast.Import | ast.ImportFrom) for node in tree.body) else ""
    return "".join(kept[:at]) + "".join(line + newline for line in lines) + blank + "".join(kept[at:])


def fingerprint(text: str) -> str:
    """Equal for two texts that mean the same to Python; the text itself where it does not parse."""
    tree = parse(text)
    return text if tree is None else ast.dump(tree)


def _fitting(unit: Unit, code: str) -> str | None:
    """The part of the answer that replaces the unit: its own definition (and new helpers beside it), or all of it for module-level code."""
    tree = parse(code)
    if tree is None:
        code = _longest_valid(code)
        tree = parse(code)
    if tree is None or not tree.body:
        return None
    if unit.kind not in ("function", "class"):
        return code
    name = unit.name.rsplit(".", 1)[-1]
    own = next((node for node in tree.body if isinstance(node, Definition) and node.name == name), None)
    if own is None:
        own = next((node for each, node in definitions(tree) if each.rsplit(".", 1)[-1] == name), None)
    if own is None:
        return None
    lines = lines_with_ends(code)
    piece = lines[first_line(own) : own.end_lineno]
    indent = piece[0][: len(piece[0]) - len(piece[0].lstrip())]
    return _with_own_head(unit, "".join(line.removeprefix(indent) for line in piece))


def _with_own_head(unit: Unit, code: str) -> str:
    """The code under the unit's own lines up to its first statement, where those mean the same: a policy writes `def f( a)`."""
    old, new = parse(unit.source), parse(code)
    before, after = (tree.body[0] if tree is not None and tree.body else None for tree in (old, new))
    if not isinstance(before, Definition) or not isinstance(after, Definition):
        return code
    heads = [ast.dump(_without_body(node)) for node in (before, after)]
    starts = [first_line(node.body[0]) for node in (before, after)]
    one_line = any(node.body[0].lineno == node.lineno for node in (before, after))
    if heads[0] != heads[1] or one_line:
        return code
    return "".join([*lines_with_ends(unit.source)[: starts[0]], *lines_with_ends(code)[starts[1] :]])


def _without_body(node: ast.stmt) -> ast.stmt:
    head = copy.copy(node)
    head.body = []  # type: ignore[attr-defined]  # a definition has one
    return head


def _longest_valid(code: str) -> str:
    """The longest beginning of whole lines that parses: an answer that was cut off, or that goes on after the function."""
    lines = lines_with_ends(code)
    for end in range(len(lines) - 1, max(0, len(lines) - 40), -1):
        piece = "".join(lines[:end])
        if parse(piece) is not None:
            return piece
    return ""


def _import_line(tree: ast.Module) -> int:
    """Zero-based line at which a new import goes: after the last import of the module's head, else after its docstring."""
    at = 0
    for node in tree.body:
        docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and at == 0
        if not docstring and not isinstance(node, ast.Import | ast.ImportFrom):
            break
        at = node.end_lineno or node.lineno
    return at
