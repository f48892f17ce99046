"""Show what several stopwatches have measured."""

from __future__ import annotations

from collections.abc import Iterable

from timing.stopwatch import Stopwatch


def summary(watches: Iterable[Stopwatch]) -> list[str]:
    """One line for each stopwatch that was used, the slowest first."""
    used = sorted((watch for watch in watches if watch.calls), key=lambda watch: (-watch.seconds, watch.name))
    width = max((len(watch.name) for watch in used), default=0)
    return [f"{watch.name:<{width}} {watch.seconds:8.2f} s {watch.calls:4d} calls" for watch in used]
