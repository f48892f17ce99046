"""Aligning two sequences, lines or tokens: where the new one differs from the old one. No edit distance, and not always the fewest changes.

Items that occur once on either side are matched first (patience diff, after Bram Cohen), which takes n log n; what lies between them is
left to difflib while it is small. A larger stretch without such items counts as replaced as a whole, since difflib can take cubic time.
"""

from __future__ import annotations

import difflib
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import msgspec

LARGEST = 40_000
"""Pairs of items, one of either side, up to which difflib aligns a stretch: some milliseconds."""

Pair = tuple[int, int]
"""Places of one item in the old and in the new sequence."""


class Change(msgspec.Struct, frozen=True):
    """A stretch of the old sequence, and what stands in its place in the new one; one of the two may be empty."""

    start: int
    end: int
    new_start: int
    new_end: int


def changes(old: Sequence[str], new: Sequence[str]) -> list[Change]:
    """The changes in order, at least one kept item between two; an insertion or deletion that fits several places has the last of them."""
    found: list[Change] = []
    start = new_start = 0
    for end, new_end in (*_anchors(old, new), (len(old), len(new))):
        found += _within(old, new, Change(start, end, new_start, new_end))
        start, new_start = end + 1, new_end + 1
    return _settled(old, new, found)


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """Items that occur once on either side: as many of them as stand in the same order on both."""
    times, new_times = Counter(old), Counter(new)
    places = {item: place for place, item in enumerate(new) if new_times[item] == 1 == times[item]}
    return _increasing([(place, places[item]) for place, item in enumerate(old) if item in places])


def _increasing(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest run of pairs whose second places only grow, by patience sorting."""
    tops: list[int] = []
    holders: list[int] = []
    before: list[int] = []
    for index, (_, place) in enumerate(pairs):
        pile = bisect_left(tops, place)
        before.append(holders[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [place]
        holders[pile : pile + 1] = [index]
    run: list[Pair] = []
    index = holders[-1] if holders else -1
    while index >= 0:
        run.append(pairs[index])
        index = before[index]
    return run[::-1]


def _within(old: Sequence[str], new: Sequence[str], gap: Change) -> list[Change]:
    """The changes between two anchors."""
    start, end, new_start, new_end = gap.start, gap.end, gap.new_start, gap.new_end
    while start < end and new_start < new_end and old[start] == new[new_start]:
        start, new_start = start + 1, new_start + 1
    while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
        end, new_end = end - 1, new_end - 1
    if start == end and new_start == new_end:
        return []
    if not 0 < (end - start) * (new_end - new_start) <= LARGEST:
        return [Change(start, end, new_start, new_end)]
    matcher = difflib.SequenceMatcher(None, old[start:end], new[new_start:new_end], autojunk=False)
    return [
        Change(start + low, start + high, new_start + new_low, new_start + new_high)
        for kind, low, high, new_low, new_high in matcher.get_opcodes()
        if kind != "equal"
    ]


def _settled(old: Sequence[str], new: Sequence[str], found: Sequence[Change]) -> list[Change]:
    """Every change at the last place that it fits, so that equal changes are found at equal places; those that meet become one."""
    settled: list[Change] = []
    for change in reversed(found):
        last = _slid(old, new, change, settled[-1].start if settled else len(old))
        if settled and last.end == settled[-1].start:
            later = settled.pop()
            last = Change(last.start, later.end, last.new_start, later.new_end)
        settled.append(last)
    return settled[::-1]


def _slid(old: Sequence[str], new: Sequence[str], change: Change, limit: int) -> Change:
    start, end, new_start, new_end = change.start, change.end, change.new_start, change.new_end
    inserts = start == end
    if not inserts and new_start != new_end:
        return change
    by = 0
    while end + by < limit and (new[new_start + by] if inserts else old[start + by]) == old[end + by]:
        by += 1
    return Change(start + by, end + by, new_start + by, new_end + by)
