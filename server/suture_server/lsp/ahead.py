"""Repairs ahead of time: when nothing else goes on, the next failure that nobody has asked about yet, within a budget. Off by default."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from suture_server.worker import wire

if TYPE_CHECKING:
    from suture_server.lsp.root import Root

HOUR = 3600.0


class Ahead:
    """What background work one workspace has done in the last hour, and when it may do more."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._edited = time.monotonic()
        self._spent: list[tuple[float, float]] = []
        """When a repair began, and how many seconds it took."""

    def edited(self) -> None:
        """A person is at work; what runs in the background makes room for them."""
        self._edited = time.monotonic()
        if self._root.jobs.running:
            self._root.later(self._root.jobs.cancel(background=True))

    def look(self, behaviour: wire.Behaviour) -> None:
        """Begin the next repair, if there is one and it may be done."""
        mark = self._next() if self._may(behaviour) else None
        if mark is None:
            return
        began = time.monotonic()
        job, _ = self._root.jobs.start(mark, wire.Wanted(mark=mark), "Fix with agent", background=True)
        assert job.task is not None
        job.task.add_done_callback(lambda _done: self._spent.append((began, time.monotonic() - began)))

    def _may(self, behaviour: wire.Behaviour) -> bool:
        now, root = time.monotonic(), self._root
        self._spent = [(when, seconds) for when, seconds in self._spent if now - when < HOUR]
        idle = now - self._edited > behaviour.idle_seconds and not root.jobs.running and not root.jobs.queued
        left = sum(seconds for _, seconds in self._spent) < 60 * behaviour.background_minutes
        return behaviour.background and idle and left and not root.unable() and root.checking.checked >= root.checking.generation

    def _next(self) -> str | None:
        root = self._root
        marks = root.checking.findings.problems
        return next((mark for mark in marks if mark not in root.jobs.tried and root.offers.of(mark) is None), None)
