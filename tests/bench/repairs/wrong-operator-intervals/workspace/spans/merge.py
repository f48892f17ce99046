from __future__ import annotations

from collections.abc import Iterable

from spans.interval import Interval


def merge(intervals: Iterable[Interval]) -> list[Interval]:
    """Union of the intervals as a sorted list; intervals that touch become one."""
    merged: list[Interval] = []
    for current in sorted(intervals):
        if merged and current.start < merged[-1].end:
            last = merged.pop()
            merged.append(Interval(last.start, max(last.end, current.end)))
        else:
            merged.append(current)
    return merged


def gaps(intervals: Iterable[Interval]) -> list[Interval]:
    """The free stretches between the merged intervals."""
    merged = merge(intervals)
    return [Interval(a.end, b.start) for a, b in zip(merged, merged[1:])]
