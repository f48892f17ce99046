"""Who runs next: attempts bounded by cores and memory, a waiting person before work that nobody waits for."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import os
from collections.abc import AsyncGenerator, Coroutine, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

T = TypeVar("T")

Priority = Literal["person", "background", "batch", "training"]
"""For whom an attempt runs, the most urgent first."""

NICE: Mapping[Priority, int] = {"person": 0, "background": 5, "batch": 10, "training": 15}
"""How an attempt yields the processor to others, those of other processes of suture too (nice(1))."""

_ORDER: Mapping[Priority, int] = {name: number for number, name in enumerate(NICE)}
LEAST_FREE_SHARE = 0.05
"""Of the machine's memory; with less to be had, no further attempt begins beside one that runs."""
LOOK_SECONDS = 0.1


class Slots:
    """At most so many attempts at once, in the order of their priority and then of their coming. For one event loop."""

    def __init__(self, count: int | None = None) -> None:
        self._count = count or cores()
        self._running = 0
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._spare: list[asyncio.Task[Any]] = []

    @contextlib.asynccontextmanager
    async def taken(self, priority: Priority) -> AsyncGenerator[None]:
        """Wait for a slot, and hold it."""
        await self._take(priority)
        try:
            yield
        finally:
            self._running -= 1
            self._next()

    async def spare(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Do work in a slot that nobody wants, and end it the moment somebody does; None where it did not begin, or not come to its end."""
        if self._waiting or self._running + len(self._spare) >= self._count or not has_memory():
            work.close()
            return None
        task = asyncio.get_running_loop().create_task(work)
        self._spare.append(task)
        try:
            await asyncio.wait([task])
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if task in self._spare:
                self._spare.remove(task)
        return None if task.cancelled() else task.result()

    async def _take(self, priority: Priority) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (_ORDER[priority], next(self._numbers), turn))
        self._next()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its turn came in the same moment
                self._running -= 1
            self._next()
            raise

    def _next(self) -> None:
        """Let in whoever is to run now."""
        while self._waiting and self._running < self._count:
            if (self._running or self._spare) and not has_memory():
                self._end_spare(len(self._spare))
                asyncio.get_running_loop().call_later(LOOK_SECONDS, self._next)
                return
            *_, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._running += 1
                self._end_spare(self._running + len(self._spare) - self._count)
                turn.set_result(None)

    def _end_spare(self, count: int) -> None:
        """End so many of those who only use what nobody wants, the latest first."""
        for _ in range(min(count, len(self._spare))):
            self._spare.pop().cancel()


def cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def has_memory(place: Path = Path("/proc/meminfo")) -> bool:
    """Whether there is memory for one more attempt; true where the system does not say."""
    try:
        lines = dict(line.split(":", 1) for line in place.read_text().splitlines())
        available, total = (int(lines[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
    except (OSError, ValueError, KeyError):
        return True
    return available >= LEAST_FREE_SHARE * total
