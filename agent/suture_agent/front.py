"""The front of a batch run: the text with every fix so far, and what still fails there.

Problems may be worked on side by side, each on the text as it was when its work began. Fixes are taken one after the other: one that was
proven beside others is moved onto what they left, and proven there again. What is written therefore applies in the order of its numbers,
and each patch was proven on top of those before it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from suture_agent.events import Events, Progress, VerdictReached
from suture_agent.problem import Problem
from suture_agent.repair import Repair
from suture_sandbox.checks import CheckResult
from suture_sandbox.errors import InfrastructureError, MergeConflict
from suture_sandbox.merge import moved
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Verdict

Prove = Callable[[Problem, Patch], Awaitable[Verdict]]
"""The verdict on a patch for a problem. Raises InfrastructureError."""
Left = Callable[[Snapshot, Sequence[CheckResult]], Awaitable[list[Problem]]]
"""The problems that results on a text show, as far as they are to be worked on."""


class Front:
    """Where a run stands. `lock` is held by whoever takes a fix, from its last proof until it is on the disk."""

    def __init__(self, snapshot: Snapshot, queue: Sequence[Problem], prove: Prove, left: Left, events: Events) -> None:
        self.lock = asyncio.Lock()
        self._snapshot = snapshot
        self._queue = list(queue)
        self._prove = prove
        self._left = left
        self._events = events
        self._tried: set[str] = set()
        """Marks of the problems that are, or were, in work."""
        self._again: set[str] = set()
        """Marks of those that were put back once."""

    def next(self) -> Problem | None:
        """Take the next problem into work; None where all are, or have been."""
        problem = next((each for each in self._queue if each.mark not in self._tried), None)
        if problem is not None:
            self._tried.add(problem.mark)
        return problem

    async def on_top(self, done: Repair) -> Repair | None:
        """A repair as it is on top of the fixes so far.

        None where it is none any more: they have mended the problem, or it was put back, to be tried again; `still_fails` tells which.
        """
        problem, patch = done.problem, done.patch
        if done.outcome != "fixed" or patch is None or problem.snapshot == self._snapshot:
            return done
        now = self._now(problem)
        if now is None:
            return None
        self._events(Progress(problem=problem.id, phase="proving on top of the fixes before it"))
        try:
            here = await asyncio.to_thread(moved, patch, self._snapshot)
            verdict = await self._prove(now, here) if here.edits else None
        except MergeConflict as error:
            return self._put_back(done, str(error))
        except InfrastructureError as error:
            return msgspec.structs.replace(done, outcome="infrastructure", reason=str(error), failed="machine")
        if verdict is None or not verdict.passed:
            return self._put_back(done, verdict.reason if verdict is not None else "they have it in part")
        self._events(VerdictReached(problem=problem.id, verdict=verdict))
        return msgspec.structs.replace(done, patch=here, verdict=verdict, seconds=done.seconds + verdict.seconds)

    def still_fails(self, problem: Problem) -> bool:
        """Whether the fixes so far have left a problem as it is."""
        return self._now(problem) is not None

    async def take(self, done: Repair) -> list[Problem]:
        """Go on from a fix; returns the problems that nobody has worked on and that it mended, too."""
        if done.patch is None or done.verdict is None:
            return []
        self._snapshot = self._snapshot.with_edits({edit.path: edit.after for edit in done.patch.edits})
        waiting = [each for each in self._queue if each.mark not in self._tried]
        self._queue = await self._left(self._snapshot, done.verdict.after)
        failing = {finding.signature for problem in self._queue for finding in problem.findings}
        return [each for each in waiting if failing.isdisjoint(finding.signature for finding in each.findings)]

    def _now(self, problem: Problem) -> Problem | None:
        return next((each for each in self._queue if each.mark == problem.mark), None)

    def _put_back(self, done: Repair, reason: str) -> Repair | None:
        """Have it tried once more on the text as it is now; the second time that is the end of it."""
        mark = done.problem.mark
        if mark in self._again:
            return msgspec.structs.replace(done, outcome="unfixed", reason=f"proven alone, but not on top of the other fixes: {reason}")
        self._again.add(mark)
        self._tried.discard(mark)
        return None
