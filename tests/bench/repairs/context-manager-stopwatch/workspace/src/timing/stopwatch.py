"""Measure how long blocks and functions take."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ContextDecorator
from types import TracebackType


class Stopwatch(ContextDecorator):
    """Adds up the wall time of with blocks, or of the calls of the functions it decorates.

    Blocks of one stopwatch may be nested; `seconds` is the time during which at least one of them was open.
    """

    def __init__(self, name: str, clock: Callable[[], float] = time.perf_counter) -> None:
        self.name = name
        self.calls = 0
        self._clock = clock
        self._depth = 0
        self._started = 0.0
        self._total = 0.0

    @property
    def running(self) -> bool:
        return self._depth > 0

    @property
    def seconds(self) -> float:
        """The time measured until now, an open block included."""
        if self.running:
            return self._total + self._clock() - self._started
        return self._total

    def reset(self) -> None:
        if self.running:
            raise RuntimeError(f"{self.name} is running")
        self.calls = 0
        self._total = 0.0

    def __enter__(self) -> Stopwatch:
        self._started = self._clock()
        self._depth += 1
        self.calls += 1
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._depth -= 1
        self._total += self._clock() - self._started
