"""Reading a journal with several processes: each makes stretches of it ready, and they are taken in order. What comes out does not depend
on how many there are.

They are started anew (not forked: this process may have threads), ignore Ctrl-C, which their parent answers, and die with it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec

from suture_agent.journal.bulk import Choice, Reader
from suture_training.data.figures import Tally
from suture_training.data.leakage import HeldOut
from suture_training.data.prepare import Prepared, Preparer
from suture_training.data.rows import Kind, Row

STRETCH = 1024
"""Episodes that a process is given at once."""
WORTH_IT = 8 * STRETCH
"""Episodes from which on processes are started: each takes a second to be there."""

Read = Callable[[Reader, Choice, Tally], Iterator[Row]]
"""A source: a function that processes find by its name."""


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes are told."""

    journal: Path
    kind: Kind
    choice: Choice
    held_out: HeldOut | None = None


def batches(work: Work, reader: Reader, reads: Sequence[Read], *, processes: int | None = None) -> Iterator[Prepared]:
    """All rows of some sources, source by source, in the journal's order. `processes`: as many as CPUs if None, where it is worth it."""
    many = processes or (len(os.sched_getaffinity(0)) if reader.count(work.choice) * len(reads) >= WORTH_IT else 1)
    if many < 2:
        preparer = Preparer(work.kind, work.held_out)
        for read in reads:
            tally = Tally()
            yield from preparer.batches(read(reader, work.choice, tally), tally)
        return
    stretches = _stretches(reader.places(work.choice, STRETCH))
    orders = iter([(read, stretch) for read in reads for stretch in stretches])
    with ProcessPoolExecutor(many, mp_context=get_context("spawn"), initializer=_begin, initargs=(work, os.getpid())) as pool:
        waiting: deque[Future[list[Prepared]]] = deque()
        try:
            for read, (after, until) in orders:
                waiting.append(pool.submit(_stretch, read, after, until))
                if len(waiting) > 2 * many:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)


def _stretches(places: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(["", *places], places, strict=False))


def _begin(work: Work, parent: int) -> None:
    """In a new process: open what all stretches need."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if prctl is not None:
        prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    _workers.append(_Worker(work))


class _Worker:
    """What a process keeps open between stretches."""

    def __init__(self, work: Work) -> None:
        self._choice = work.choice
        self._reader = Reader(work.journal)
        self._preparer = Preparer(work.kind, work.held_out)

    def prepared(self, read: Read, after: str, until: str) -> list[Prepared]:
        """A stretch of the journal, ready."""
        choice = msgspec.structs.replace(self._choice, after=after, until=until)
        tally = Tally()
        return list(self._preparer.batches(read(self._reader, choice, tally), tally))


_workers: list[_Worker] = []
"""The one of this process, where it is a helper."""


def _stretch(read: Read, after: str, until: str) -> list[Prepared]:
    return _workers[0].prepared(read, after, until)
