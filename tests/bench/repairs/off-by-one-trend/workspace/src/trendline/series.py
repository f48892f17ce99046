"""Figures about series of measurements that were taken at equal intervals."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise


def moving_average(values: Sequence[float], window: int) -> list[float]:
    """The mean of every run of `window` neighbouring values, oldest first; empty when there are too few values."""
    if window < 1:
        raise ValueError("the window must hold at least one value")
    averages = []
    for start in range(len(values) - window):
        averages.append(sum(values[start : start + window]) / window)
    return averages


def longest_rise(values: Sequence[float]) -> int:
    """The number of values in the longest run in which each one is greater than the one before."""
    if not values:
        return 0
    longest = current = 1
    for before, after in pairwise(values):
        current = current + 1 if after > before else 1
        longest = max(longest, current)
    return longest


def crossings(values: Sequence[float], level: float) -> list[int]:
    """The positions at which the series first lies above the level after it was at or below it."""
    return [place for place, (before, after) in enumerate(pairwise(values), start=1) if before <= level < after]


def signal(values: Sequence[float], fast: int, slow: int) -> float:
    """How far the latest fast average lies above the latest slow one."""
    fast_averages = moving_average(values, fast)
    slow_averages = moving_average(values, slow)
    if not fast_averages or not slow_averages:
        raise ValueError(f"at least {max(fast, slow)} values are needed")
    return fast_averages[-1] - slow_averages[-1]
