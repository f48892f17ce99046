"""What two tasks have in common: the place that is broken, the same function under other names, or nearly the same function.

A function is compared as a sequence of tokens in which its own variables are numbered in the order in which they come, so that a copy
with other names is the same. Equal sequences are the same function. Nearly equal ones are found by bottom-k sketches of their 5-token
shingles (Cohen and Kaplan, "Summarizing Data Using Bottom-k Sketches", PODC 2007), which estimate the Jaccard index.

Not seen: functions that do the same in another way; code outside functions, but for its place; languages other than Python, but for the
place.
"""

from __future__ import annotations

import ast
import hashlib
import io
import keyword
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from suture_agent.direct.units import parse
from suture_sandbox.align import changes
from suture_sandbox.text import lines_with_ends
from suture_training.tasks.mutate.code import Code, Scope
from suture_training.tasks.task import Task

NEAR = 0.8
"""Jaccard index from which two functions are nearly the same."""
FEWEST_TOKENS = 40
"""A shorter function resembles too many to be nearly the same as one; it can be the same."""
_SHINGLE, _SKETCH, _BANDS = 5, 64, 12

Place = tuple[str, str, str]
"""Repository, path, dotted name of the function; empty for the module's own code."""


class Print(msgspec.Struct, frozen=True, kw_only=True):
    """What a task is recognised by."""

    task: str
    repository: str
    time: str
    places: frozenset[Place]
    same: frozenset[str]
    """Hashes of the functions that are broken, as they are broken and as they are mended."""
    sketches: tuple[frozenset[int], ...] = ()
    """Bottom-k sketches of those that are long enough."""


class Leak(msgspec.Struct, frozen=True, kw_only=True):
    """A task for training that gives away one that is held out."""

    train: str
    held_out: str
    why: Literal["place", "same", "near"]
    """The same function is broken; the same function stands elsewhere, broken or as the mend; a nearly equal one does."""


def leaks(train: Iterable[Task], held_out: Iterable[Task]) -> tuple[Leak, ...]:
    """Every pair of which the first may not be trained on where the second is to measure; empty where the two sets are apart."""
    return leaks_between([print_of(task) for task in train], [print_of(task) for task in held_out])


def leaks_between(train: Iterable[Print], held_out: Iterable[Print]) -> tuple[Leak, ...]:
    """The same for tasks that were looked at already."""
    index = Index(held_out)
    return tuple(Leak(train=each.task, held_out=other, why=why) for each in train for other, why in index.like(each))


class Index:
    """Tasks by what they are recognised by."""

    def __init__(self, prints: Iterable[Print]) -> None:
        self._places: dict[Place, list[str]] = {}
        self._same: dict[str, list[str]] = {}
        self._bands: dict[int, list[tuple[str, frozenset[int]]]] = {}
        for each in prints:
            for place in each.places:
                self._places.setdefault(place, []).append(each.task)
            for digest in each.same:
                self._same.setdefault(digest, []).append(each.task)
            for sketch in each.sketches:
                for value in _lowest(sketch):
                    self._bands.setdefault(value, []).append((each.task, sketch))

    def like(self, wanted: Print) -> Iterator[tuple[str, Literal["place", "same", "near"]]]:
        """The tasks that one resembles, itself where it is among them, each once with the strongest reason."""
        seen: set[str] = set()
        for place in sorted(wanted.places):
            for task in self._places.get(place, ()):
                if task not in seen:
                    seen.add(task)
                    yield task, "place"
        for digest in sorted(wanted.same):
            for task in self._same.get(digest, ()):
                if task not in seen:
                    seen.add(task)
                    yield task, "same"
        for sketch in wanted.sketches:
            for value in sorted(_lowest(sketch)):
                for task, other in self._bands.get(value, ()):
                    if task not in seen and likeness(sketch, other) >= NEAR:
                        seen.add(task)
                        yield task, "near"


def print_of(task: Task) -> Print:
    """What a task is recognised by, from its own texts alone."""
    broken = {edit.path: edit.text for edit in task.broken}
    places: set[Place] = set()
    same: set[str] = set()
    sketches: list[frozenset[int]] = []
    for edit in task.gold:
        texts = (broken.get(edit.path), edit.text)
        for name, sources in _touched(edit.path, *texts).items():
            places.add((task.origin.repository, edit.path, name))
            for source in sources if name else ():
                tokens = normalised(source)
                same.add(hashlib.sha256("\0".join(tokens).encode()).hexdigest()[:32])
                if len(tokens) >= FEWEST_TOKENS:
                    sketches.append(sketch_of(tokens))
    return Print(
        task=task.id,
        repository=task.origin.repository,
        time=task.origin.time,
        places=frozenset(places),
        same=frozenset(same),
        sketches=tuple(dict.fromkeys(sketches)),
    )


def normalised(source: str) -> list[str]:
    """Tokens of a piece of Python without comments and layout, its own variables and its name numbered; words of a text that is none."""
    own = _own_names(source)
    numbers: dict[str, str] = {}
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return re.findall(r"\w+|[^\w\s]", source)
    kept = (tokenize.NAME, tokenize.NUMBER, tokenize.STRING, tokenize.OP)
    words = [
        token.string
        for token in tokens
        if token.type in kept or (token.type > tokenize.OP and token.string.strip() and token.type != tokenize.COMMENT)
    ]
    return [numbers.setdefault(word, f"${len(numbers)}") if word in own and not keyword.iskeyword(word) else word for word in words]


def sketch_of(tokens: list[str]) -> frozenset[int]:
    """The smallest hashes of a sequence's shingles."""
    shingles = {" ".join(tokens[start : start + _SHINGLE]) for start in range(max(1, len(tokens) - _SHINGLE + 1))}
    hashes = sorted(int.from_bytes(hashlib.blake2b(each.encode(), digest_size=8).digest()) for each in shingles)
    return frozenset(hashes[:_SKETCH])


def likeness(left: frozenset[int], right: frozenset[int]) -> float:
    """The Jaccard index of two sets of shingles, estimated from their sketches."""
    lowest = frozenset(sorted(left | right)[:_SKETCH])
    return len(lowest & left & right) / len(lowest) if lowest else 0.0


def _lowest(sketch: frozenset[int]) -> list[int]:
    """The few smallest: two sets that are nearly the same share one of them but for a negligible chance."""
    return sorted(sketch)[:_BANDS]


def _own_names(source: str) -> frozenset[str]:
    tree = parse(source)
    if tree is None:
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
    return frozenset(found)


def _touched(path: str, broken: str | None, mended: str | None) -> Mapping[str, list[str]]:
    """The functions in which two texts of a file differ: dotted name -> their sources on either side."""
    before, after = lines_with_ends(broken or ""), lines_with_ends(mended or "")
    found: dict[str, list[str]] = {}
    different = changes(before, after)
    for text, lines, spans in (
        (broken, before, [(change.start, change.end) for change in different]),
        (mended, after, [(change.new_start, change.new_end) for change in different]),
    ):
        code = Code.read(path, text) if text is not None else None
        for start, end in spans:
            for scope in _scopes(code, start, end):
                source = "".join(lines[scope.start - 1 : scope.end]) if scope.name else ""
                sources = found.setdefault(scope.name, [])
                if source and _undented(source) not in sources:
                    sources.append(_undented(source))
    return found


def _scopes(code: Code | None, start: int, end: int) -> list[Scope]:
    """The functions that a stretch of lines (zero-based) lies in; where nothing stands, what lies around the place."""
    if code is None:
        return [Scope("", 0, 1, 0)]
    scopes = (code.scope_of_line(line + 1) for line in range(start, max(end, start + 1)))
    return list({scope.name: scope for scope in scopes}.values())


def _undented(source: str) -> str:
    first = source[: len(source) - len(source.lstrip(" \t"))]
    return "".join(line.removeprefix(first) for line in source.splitlines(keepends=True))
