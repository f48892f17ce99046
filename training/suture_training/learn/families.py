"""Small functions that say by their names what they do: what the tiny policy reads, breaks and repairs.

A name that tells the intention is what makes a repair possible for a model of two million parameters: it can learn that `above` goes with
`>`; it cannot learn arithmetic. Each function is a cell of a grid (shape, what is done with each value, which values count). Cells are
split before anything else: the base is pretrained on one part, the tasks of training, of validation and those that are held out are each
about another. So a task for training is as new to the base as a held-out one, and what is learnt is to repair combinations that were never
seen, made of parts that were, and of other nouns too.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from suture_training.tasks.task import Split

Part = Split | Literal["base"]
"""A split of tasks, or what the base model is pretrained on."""

_NOUNS = (
    "price weight score speed level height depth width rate cost size age power load fuel stock order item point step page line word mark "
    "grade hour day week month seat room ticket visit vote gift coin stamp card plate cup tile brick cable lamp wheel"
)
NOUNS: tuple[str, ...] = tuple(_NOUNS.split())

CHANGES: Mapping[str, str] = {
    "": "{n}",
    "doubled": "{n} * 2",
    "halved": "{n} // 2",
    "squared": "{n} * {n}",
    "next": "{n} + 1",
    "previous": "{n} - 1",
    "negated": "0 - {n}",
}
"""Word in the name -> what is done with a value."""

CONDITIONS: Mapping[str, tuple[str, str]] = {
    "above": ("{x} > limit", "limit"),
    "below": ("{x} < limit", "limit"),
    "at_least": ("{x} >= limit", "limit"),
    "at_most": ("{x} <= limit", "limit"),
    "equal_to": ("{x} == other", "other"),
    "other_than": ("{x} != other", "other"),
    "between": ("{x} >= low and {x} <= high", "low, high"),
    "outside": ("{x} < low or {x} > high", "low, high"),
    "even": ("{x} % 2 == 0", ""),
    "odd": ("{x} % 2 == 1", ""),
    "positive": ("{x} > 0", ""),
    "negative": ("{x} < 0", ""),
}
"""Word in the name -> which values count, and the parameters that it needs."""

COMBINED: Mapping[str, str] = {"with": "+", "without": "-", "times": "*", "per": "//"}
"""Word between two nouns -> how they are combined."""

_LOOP = (
    "def {name}({n}s{more}):\n    {result} = {first}\n    for {n} in {n}s:\n        if {holds}:\n            {adds}\n    return {result}\n"
)
SHAPES: Mapping[str, str] = {
    "list": "def {name}({n}s{more}):\n    return [{value} for {n} in {n}s if {holds}]\n",
    "total": _LOOP,
    "product": _LOOP,
    "count": _LOOP,
    "is": "def {name}({n}{more}):\n    return {tested}\n",
    "pair": "def {name}({n}, {m}):\n    result = {n} {sign} {m}\n    return {changed}\n",
}
"""Shape -> source."""


class Cell(msgspec.Struct, frozen=True, order=True):
    """One function up to its nouns."""

    shape: str
    change: str
    which: str
    """A condition; for a pair how the two are combined."""


def cells() -> tuple[Cell, ...]:
    """The whole grid."""
    conditions = [
        Cell(shape, change, which)
        for shape in ("list", "total", "product", "is")
        for change in CHANGES
        for which in CONDITIONS
        if not (shape == "product" and change in ("squared", "negated"))
    ]
    pairs = [Cell("pair", change, which) for change in CHANGES for which in COMBINED]
    return (*conditions, *(Cell("count", "", which) for which in CONDITIONS), *pairs)


ALIKE: tuple[tuple[str, ...], ...] = (
    ("above", "below", "at_least", "at_most"),
    ("equal_to", "other_than"),
    ("between", "outside"),
    ("even", "odd"),
    ("positive", "negative"),
    ("next", "previous"),
    tuple(COMBINED),
)
"""Words of which one small mistake makes the other: what is broken as `above` is what is right as `below`."""


def part_of(cell: Cell) -> Part:
    """Where a cell belongs, for good: five of ten to the base, two to training, one to validation, two are held out.

    Cells that differ by words that are alike lie together, or a task for training would show what is right in a held-out one.
    """
    first = {word: words[0] for words in ALIKE for word in words}
    block = [cell.shape, first.get(cell.change, cell.change), first.get(cell.which, cell.which)]
    number = hashlib.sha256(msgspec.json.encode(block)).digest()[0] % 10
    return "base" if number < 5 else "train" if number < 7 else "validation" if number < 8 else "test"


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a function with what it returns."""

    call: str
    """As it is written: `doubled_cups_above([3, 5, 2], 4)`."""
    result: str
    """`repr` of the result."""


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function that is right."""

    cell: Cell
    name: str
    source: str
    examples: tuple[Example, ...]


def function(cell: Cell, nouns: Sequence[str], chance: random.Random, *, examples: int = 4) -> Function:
    """A function of a cell about two of the nouns, with example calls."""
    n, m = chance.sample(list(nouns), 2)
    source = _source(cell, n, m)
    head = source[4 : source.index(":")]
    name, parameters = head[: head.index("(")], head[head.index("(") + 1 : -1].split(", ")
    made = tuple(example_of(source, name, parameters, chance) for _ in range(examples))
    return Function(cell=cell, name=name, source=source, examples=made)


def called(source: str, call: str) -> str:
    """`repr` of what a call returns, or the name of the exception; for sources that this package wrote itself, whole or broken."""
    names: dict[str, object] = {}
    try:
        exec(source, names)  # noqa: S102  # our own text
        return repr(eval(call, names))  # noqa: S307  # our own text
    except Exception as error:  # noqa: BLE001  # a broken function may raise anything
        return type(error).__name__


def _source(cell: Cell, n: str, m: str) -> str:
    changed = CHANGES[cell.change]
    if cell.shape == "pair":
        name = "_".join(part for part in (cell.change, n, cell.which, m) if part)
        sign = COMBINED[cell.which]
        return SHAPES["pair"].format(name=name, n=n, m=m, sign=sign, changed=changed.format(n="result"))
    holds, more = CONDITIONS[cell.which]
    value = changed.format(n=n)
    kept = {"": "", "list": "", "is": "is"}.get(cell.shape, cell.shape)
    noun = n if cell.shape == "is" else f"{n}s"
    name = "_".join(part for part in (kept, cell.change, noun, cell.which) if part)
    first, result = ("1", "product") if cell.shape == "product" else ("0", cell.shape)
    adds = {"count": "count += 1", "product": f"product *= {value}"}.get(cell.shape, f"total += {value}")
    tested = holds.format(x=value if cell.change in ("", "squared") else f"({value})")
    return SHAPES[cell.shape].format(
        name=name,
        n=n,
        more=f", {more}" if more else "",
        result=result,
        first=first,
        holds=holds.format(x=n),
        value=value,
        adds=adds,
        tested=tested,
    )


def example_of(source: str, name: str, parameters: Sequence[str], chance: random.Random) -> Example:
    """A call whose values lie close to each other, so that a wrong comparison shows."""
    values: list[str] = []
    for parameter in parameters:
        if parameter.endswith("s"):
            values.append(repr([chance.randint(-4, 9) for _ in range(chance.randint(3, 5))]))
        elif parameter == "high":
            values.append(str(int(values[-1]) + chance.randint(0, 4)))
        else:
            values.append(str(chance.randint(1, 9)))
    call = f"{name}({', '.join(values)})"
    return Example(call=call, result=called(source, call))
