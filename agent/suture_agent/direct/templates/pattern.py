"""Rewrites told by example: `X.get(K, D).append(V) => X.setdefault(K, D).append(V)`.

Both sides are Python. On the left a single capital letter stands for any expression (for the same one where it occurs twice), `*REST` at
the end of a call for the arguments that are left; all else stands for itself. A letter that only the right side has stands for any of the
function's parameters. `math.sqrt(X)` also fits where the name is imported from its module, and the right side is then written so too.
Only expressions and simple statements: what has a block of its own needs code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import cast

import msgspec

from suture_agent.direct.templates.scene import Scene

_REST = "REST"
_HOLE = re.compile(r"\*REST\b|(?<!['\"])\b[A-Z]\b(?!['\"])")
_SPECIFIC = (0.35, 0.6, 0.8)
"""Weight of a rewrite whose left side names nothing, one thing, or more."""
_MOST_PARAMETERS = 4
_WHOLE = (
    ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.JoinedStr,
)  # fmt: skip
"""What keeps its meaning wherever it is put."""

Nodes = Mapping[type[ast.AST], Sequence[ast.AST]]
"""The nodes of a unit by their type."""


class Rewrite(msgspec.Struct, frozen=True):
    """A pattern, and the text that takes its place."""

    before: str
    after: str
    weight: float

    @classmethod
    def of(cls, before: str, after: str) -> Rewrite:
        """A rewrite that weighs the more, the more its left side says; `\\n` in the texts ends a line."""
        named = set(re.findall(r"\b[a-z_]\w+\b|\"[^\"]*\"|\b\d+\b", before)) - {"return", "for", "in", "not", "if", "is", "or", "and"}
        return cls(before, after.replace("; ", "\n"), _SPECIFIC[min(len(named), len(_SPECIFIC) - 1)])


class Match(msgspec.Struct, frozen=True):
    """A place that a pattern fits, with what stands for its letters."""

    node: ast.expr | ast.stmt
    bound: Mapping[str, str]
    whole: frozenset[str]
    """Letters whose text needs no parentheses."""
    bare: str
    """The module whose name the code leaves out, since it imports what it needs from it; empty where there is none."""


def by_type(tree: ast.AST) -> Nodes:
    """All nodes of a tree, gathered once for many patterns."""
    found: dict[type[ast.AST], list[ast.AST]] = {}
    for node in ast.walk(tree):
        found.setdefault(type(node), []).append(node)
    return found


def matches(scene: Scene, among: Nodes, rewrite: Rewrite) -> Iterator[Match]:
    """The places of a unit that a rewrite's left side fits."""
    pattern = _parsed(rewrite.before)
    for node in among.get(type(pattern), ()):
        found = _Binding(scene)
        if isinstance(node, ast.expr | ast.stmt) and found.fits(pattern, node):
            yield Match(node, found.bound, frozenset(found.whole), found.bare)


def filled(scene: Scene, match: Match, rewrite: Rewrite) -> Iterator[str]:
    """The texts that take the place of what matched: one for each parameter that an unbound letter may stand for."""
    after = rewrite.after.replace(f"{match.bare}.", "") if match.bare else rewrite.after
    free = {hole for hole in _HOLE.findall(after) if hole.lstrip("*") not in match.bound}
    for name in scene.parameters[:_MOST_PARAMETERS] if free else [""]:
        bound = {**match.bound, **dict.fromkeys(free, name)}
        yield _put(after, bound, match.whole | free).replace("\n", f"\n{' ' * match.node.col_offset}")


@lru_cache(maxsize=2048)
def _parsed(text: str) -> ast.expr | ast.stmt:
    node = ast.parse(text).body[0]
    return node.value if isinstance(node, ast.Expr) else node


def _put(after: str, bound: Mapping[str, str], whole: frozenset[str]) -> str:
    """The right side with its letters replaced, in parentheses where a neighbour would tear them apart."""

    def value(hole: re.Match[str]) -> str:
        letter = hole[0].lstrip("*")
        left, right = after[: hole.start()].rstrip(" "), after[hole.end() :].lstrip(" ")
        opened = not left or left[-1] in "(,=[{:\n" or left.endswith((" in", "return"))
        alone = opened and (not right or right[0] in "),]}:\n")
        return bound[letter] if alone or letter in whole or letter == _REST else f"({bound[letter]})"

    return re.sub(r"(?<=\()\s*, |, (?=\))", "", _HOLE.sub(value, after))  # where nothing is left for *REST


class _Binding:
    """One try to fit a pattern."""

    def __init__(self, scene: Scene) -> None:
        self.bound: dict[str, str] = {}
        self.whole: set[str] = set()
        self.bare = ""
        self._scene = scene
        self._same: dict[str, str] = {}

    def fits(self, pattern: ast.AST, node: ast.AST) -> bool:
        """Whether the node has the pattern's form; binds the letters."""
        if isinstance(pattern, ast.Name) and len(pattern.id) == 1 and pattern.id.isupper():
            return isinstance(node, ast.expr) and not isinstance(node, ast.Starred) and self._bind(pattern.id, node)
        if isinstance(pattern, ast.Attribute) and isinstance(node, ast.Name):
            self.bare = ast.unparse(pattern.value)
            return node.id == pattern.attr and self.bare != "self" and bool(re.fullmatch(r"[a-z][a-z_.0-9]+", self.bare))
        if type(pattern) is not type(node):
            return False
        if isinstance(pattern, ast.Call) and isinstance(node, ast.Call):
            return self.fits(pattern.func, node.func) and self._arguments(pattern, node)
        fields = [(name, value) for name, value in ast.iter_fields(pattern) if name not in ("ctx", "type_comment", "kind")]
        return all(self._values(value, getattr(node, name, None)) for name, value in fields)

    def _values(self, pattern: object, value: object) -> bool:
        if isinstance(pattern, ast.AST):
            return isinstance(value, ast.AST) and self.fits(pattern, value)
        if isinstance(pattern, list):
            wanted, given = cast("list[object]", pattern), cast("list[object]", value)
            return isinstance(value, list) and len(given) == len(wanted) and all(map(self._values, wanted, given))
        return type(pattern) is type(value) and pattern == value

    def _arguments(self, pattern: ast.Call, node: ast.Call) -> bool:
        """Whether a call's arguments fit, keywords in any order."""
        wanted, given = list(pattern.args), list(node.args)
        named = {each.arg: each.value for each in pattern.keywords}
        keywords = {each.arg: each.value for each in node.keywords}
        last = wanted[-1] if wanted else None
        if isinstance(last, ast.Starred) and isinstance(last.value, ast.Name) and last.value.id == _REST:
            wanted.pop()
            left = [*given[len(wanted) :], *(each for each in node.keywords if each.arg not in named)]
            self.bound[_REST] = ", ".join(self._scene.text(each) for each in left)
            given = given[: len(wanted)]
        elif keywords.keys() != named.keys():
            return False
        return (
            len(given) == len(wanted)
            and all(map(self.fits, wanted, given))
            and all(name in keywords and self.fits(value, keywords[name]) for name, value in named.items())
        )

    def _bind(self, letter: str, node: ast.expr) -> bool:
        same = ast.unparse(node)
        if self._same.setdefault(letter, same) != same:
            return False
        self.bound[letter] = self._scene.text(node)
        if isinstance(node, _WHOLE) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            self.whole.add(letter)
        return True
