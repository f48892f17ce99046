"""What becomes of offers after they were shown: kept, edited, undone, committed, ignored, or answered by the person's own fix.

Nothing here needs a client that says anything special: all of it follows from the texts. Three signals stay apart, as the journal keeps
them: the verdict (the sandbox), the decision (the person), survival (what is left later).
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING

from suture_agent.journal.kinds import Moment
from suture_sandbox.patch import Patch
from suture_server.lsp.git_state import Standing, standing
from suture_server.lsp.worker_client import WorkerRefused
from suture_server.worker import wire

if TYPE_CHECKING:
    from suture_server.lsp.offers import Offer
    from suture_server.lsp.root import Root

logger = logging.getLogger(__name__)

MOMENTS: Mapping[Moment, float] = {"30s": 30.0, "5min": 300.0, "15min": 900.0}
FOLLOWED_SECONDS = 900.0
"""An undo after that is work, not a verdict on the patch."""
REVERT_SECONDS = 2.0
"""A text that is back to what it was must stay so for this long: a checkout tells of itself a moment later than its files."""
IGNORED_SECONDS = 900.0
MOST_CHANGED = 200


class _Followed:
    """An accepted offer."""

    def __init__(self, offer: Offer, patch: Patch, where: Standing) -> None:
        self.offer = offer
        self.patch = patch
        self.where = where
        """Where git stood last."""
        self.home = where.branch
        self.moved = 0.0
        """When git's HEAD or stash moved last."""
        self.saved = False
        self.timers: list[asyncio.TimerHandle] = []


class _TurnedDown:
    """An offer that was not taken, while its failure may still be mended by hand."""

    def __init__(self, offer: Offer) -> None:
        self.offer = offer
        self.changed: dict[str, None] = {}


class Decisions:
    """Follows the offers of one workspace."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._followed: dict[str, _Followed] = {}
        self._turned_down: dict[str, _TurnedDown] = {}
        self._ignoring: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._saving: set[asyncio.Task[None]] = set()
        """Those of the tasks that look at what was saved."""

    def shown(self, offer: Offer) -> None:
        """An offer is there to be decided: left alone for long enough, it is ignored, and stays."""
        loop = asyncio.get_running_loop()
        self._ignoring[offer.id] = loop.call_later(IGNORED_SECONDS, lambda: self._later(self._ignored(offer)))

    def follow(self, offer: Offer, taken: Patch) -> None:
        """A person took an offer, or as much of it as `taken` is."""
        for each in [each for each in self._turned_down.values() if each.offer.told.mark == offer.told.mark]:
            del self._turned_down[each.offer.id]
        followed = _Followed(offer, taken, standing(self._root.path))
        loop = asyncio.get_running_loop()
        for moment, seconds in MOMENTS.items():
            followed.timers.append(loop.call_later(seconds, self._measure_later, followed, moment))
        followed.timers.append(loop.call_later(FOLLOWED_SECONDS + 1, lambda: self._followed.pop(offer.id, None)))
        self._followed[offer.id] = followed

    def turned_down(self, offer: Offer) -> None:
        """A person did not take an offer."""
        self._turned_down[offer.id] = _TurnedDown(offer)

    def text_changed(self, path: str) -> None:
        """A text is another one now."""
        for down in self._turned_down.values():
            if len(down.changed) < MOST_CHANGED:
                down.changed[path] = None
        for followed in self._followed.values():
            if path in followed.patch.paths and self._undone(followed):
                self._later(self._reverted(followed))

    def saved(self, path: str) -> None:
        """A document was saved: the first time after an offer was taken says what the person made of it."""
        for followed in list(self._followed.values()):
            if path in followed.patch.paths and not followed.saved:
                followed.saved = True
                task = self._later(self._first_save(followed))
                self._saving.add(task)
                task.add_done_callback(self._saving.discard)

    def head_moved(self) -> None:
        """Git's HEAD is elsewhere: on the same branch a commit, else a checkout, which says nothing about a patch."""
        where = standing(self._root.path)
        for followed in self._followed.values():
            committed = where.branch == followed.home == followed.where.branch and where.commit not in ("", followed.where.commit)
            if where != followed.where:
                followed.where, followed.moved = where, time.monotonic()
            if committed:
                self._measure_later(followed, "commit")

    def checked(self) -> None:
        """The checks have run: a failure that is gone was mended by hand."""
        known = self._root.checking.findings.problems
        for down in [each for each in self._turned_down.values() if each.offer.told.mark not in known]:
            del self._turned_down[down.offer.id]
            if down.changed:
                self._later(self._corrected(down))

    async def settle(self, seconds: float) -> None:
        """Wait until what a save says of offers is recorded: whoever saves and quits does both at once."""
        if self._saving:
            await asyncio.wait(self._saving, timeout=seconds)

    def stop(self) -> None:
        """End what is going on."""
        for timer in [*self._ignoring.values(), *(timer for each in self._followed.values() for timer in each.timers)]:
            timer.cancel()
        for task in self._tasks:
            task.cancel()

    def _measure_later(self, followed: _Followed, moment: Moment) -> None:
        async def measure() -> None:
            await self._measure(followed, moment)

        self._later(measure())

    def _undone(self, followed: _Followed) -> bool:
        present = self._root.buffers.present
        return all(present(edit.path) == edit.before for edit in followed.patch.edits)

    async def _reverted(self, followed: _Followed) -> None:
        """Record an undo, unless git brought the old text back (a checkout, a stash, a reset), or it does not last."""
        began = time.monotonic()
        await asyncio.sleep(REVERT_SECONDS)
        self.head_moved()  # a repository that is not watched tells nothing
        by_git = followed.moved > began - 2 * REVERT_SECONDS or followed.where.branch != followed.home
        if followed.offer.id in self._followed and self._undone(followed) and not by_git:
            self._forget(followed)
            await self._root.record(followed.offer, "reverted", "inferred")

    async def _first_save(self, followed: _Followed) -> None:
        left = await self._measure(followed, "save")
        if left is not None and left.edited and not self._undone(followed):
            texts = self._root.buffers.texts(followed.patch.paths)
            await self._root.record(followed.offer, "accepted_with_edits", "inferred", texts=texts)

    async def _measure(self, followed: _Followed, moment: Moment) -> wire.Left | None:
        """Record how much is left; None where it cannot be measured."""
        texts = self._root.buffers.texts(followed.patch.paths)

        def asked(number: int) -> wire.Survive:
            return wire.Survive(id=number, offer=followed.offer.id, moment=moment, patch=followed.patch, texts=texts)

        try:
            return await self._root.worker.ask(wire.Left, asked)
        except WorkerRefused as error:
            logger.info("survival was not measured: %s", error)
            return None

    async def _corrected(self, down: _TurnedDown) -> None:
        """Have the person's own change proven; where it holds, it is what they preferred."""
        paths = tuple(down.changed)
        try:
            await self._root.checking.sync()
            await self._root.worker.ask(wire.Repaired, lambda number: wire.Correct(id=number, offer=down.offer.id, paths=paths))
        except WorkerRefused as error:
            logger.info("a correction was not proven: %s", error)

    async def _ignored(self, offer: Offer) -> None:
        self._ignoring.pop(offer.id, None)
        if offer.seen and offer.state in ("ready", "moved", "proving"):
            await self._root.record(offer, "ignored", "inferred")

    def _forget(self, followed: _Followed) -> None:
        self._followed.pop(followed.offer.id, None)
        for timer in followed.timers:
            timer.cancel()

    def _later(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
