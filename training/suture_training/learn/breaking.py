"""Breaking such a function in one place, and the edit that mends it again: what the tiny policy is pretrained on, in words of its own.

Tasks are not made with this: they come from `suture_training.tasks`, whose operators are others and more. What is learnt here has to carry
over to them, as a model's pretraining has to carry over to the code that it meets.
"""

from __future__ import annotations

import keyword
import random
import re
from collections.abc import Mapping

import msgspec

SWAPS: Mapping[str, tuple[str, ...]] = {
    "+": ("-", "*"),
    "-": ("+",),
    "*": ("+", "//"),
    "//": ("*", "/"),
    "%": ("//",),
    ">": ("<", ">=", "<="),
    "<": (">", "<=", ">="),
    ">=": (">", "<="),
    "<=": ("<", ">="),
    "==": ("!=",),
    "!=": ("==",),
    "and": ("or",),
    "or": ("and",),
    "+=": ("-=",),
    "*=": ("+=",),
    "max": ("min",),
    "min": ("max",),
    "sum": ("len",),
    "0": ("1",),
    "1": ("0", "2"),
    "2": ("1", "3"),
    "100": ("10",),
    "[0]": ("[1]", "[-1]"),
    "[-1]": ("[0]",),
    "[1]": ("[0]",),
}
"""Token -> what it may be replaced by."""

_TOKEN = re.compile(r"\[-?\d\]|\d+|[A-Za-z_]+|//|[<>=!]=|[-+*]=|[-+*%<>]|\S")

_ASSIGNED = re.compile(r"\s*(?:[-+*]|//)?=(?!=)| in ")


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """A broken source and its mend: in line `line` (from 1) replace `old`, which occurs once in it, by `new`."""

    source: str
    line: int
    old: str
    new: str


def broken(source: str, chance: random.Random) -> Broken | None:
    """The source with one token replaced below its first line, often by another name of the function; None where nothing can be."""
    lines = source.rstrip("\n").split("\n")
    tokens = [(number, found.start(), found[0]) for number, line in enumerate(lines[1:], 1) for found in _TOKEN.finditer(line)]
    names = {token for _, _, token in tokens if token.isidentifier() and not keyword.iskeyword(token)}
    names |= set(re.findall(r"\w+", lines[0].partition("(")[2]))
    swapped = [(*token, other) for token in tokens for other in SWAPS.get(token[2], ())]
    # what is assigned to keeps its name: `prices += price` in a loop over prices would never end
    read = [token for token in tokens if token[2] in names and not _ASSIGNED.match(lines[token[0]], token[1] + len(token[2]))]
    renamed = [(*token, other) for token in read for other in sorted(names - {token[2]})]
    places = renamed if renamed and (not swapped or chance.randrange(4) == 0) else swapped
    if not places:
        return None
    number, start, was, becomes = chance.choice(places)
    line = lines[number]
    changed = line[:start] + becomes + line[start + len(was) :]
    old, new = smallest_edit(changed, line)
    return Broken(source="\n".join([*lines[:number], changed, *lines[number + 1 :]]) + "\n", line=number + 1, old=old, new=new)


def smallest_edit(before: str, after: str) -> tuple[str, str]:
    """The shortest run of whole tokens in `before` that occurs once in it, and what it must become to turn the line into `after`."""
    ours, theirs = [_span(each) for each in (before, after)]
    head = 0
    while head < min(len(ours), len(theirs)) and before[slice(*ours[head])] == after[slice(*theirs[head])]:
        head += 1
    tail = 0
    while tail < min(len(ours), len(theirs)) - head and before[slice(*ours[-1 - tail])] == after[slice(*theirs[-1 - tail])]:
        tail += 1
    first, last, last_after = head, len(ours) - tail, len(theirs) - tail
    while last <= first or before.count(before[ours[first][0] : ours[last - 1][1]]) != 1:
        if last < len(ours):
            last, last_after = last + 1, last_after + 1
        elif first > 0:
            first -= 1
        else:
            break
    return before[ours[first][0] : ours[last - 1][1]], after[theirs[first][0] : theirs[last_after - 1][1]] if last_after > first else ""


def _span(line: str) -> list[tuple[int, int]]:
    return [found.span() for found in _TOKEN.finditer(line)]
