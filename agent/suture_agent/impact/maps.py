"""The maps of one open workspace: read from the journal once, kept up beside the work, asked at every proof."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from suture_agent.errors import JournalError
from suture_agent.impact.choose import impacted, worth_running
from suture_agent.impact.making import is_outdated, make, pays
from suture_agent.impact.map import Kept
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.errors import InfrastructureError
from suture_sandbox.patch import Patch
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

if TYPE_CHECKING:
    from suture_agent.record import Recorder

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds until the next try, the double after every one that had to make room."""
MOST_TRIES = 12


class Maps:
    """Check -> map. It never fails anybody: without a map, or with a damaged journal, nothing is known."""

    def __init__(self, sandbox: Sandbox, recorder: Recorder) -> None:
        self._sandbox = sandbox
        self._recorder = recorder
        self._kept: dict[str, Kept] = {}
        self._read: set[str] = set()
        self._silent: set[str] = set()
        """Checks whose runs told nothing: they are not asked again."""

    def impact(self, check: str, _snapshot: Snapshot, patch: Patch) -> Sequence[str]:
        """Tests that a patch may break, as far as a stage of their own pays; see `suture_agent.impact.Impact`."""
        kept = self._kept.get(check)
        return worth_running(impacted(kept.map, patch), len(kept.map.tests)) if kept is not None else ()

    async def load(self, results: Sequence[CheckResult]) -> None:
        """Read from the journal what these results make worth having."""
        for check, _ in self._worth(results):
            if check.name in self._read:
                continue
            self._read.add(check.name)
            try:
                kept = await self._recorder.impact(check.name)
            except JournalError as error:
                logger.info("the map of %s cannot be read: %s", check.name, error)
                continue
            if kept is not None:
                self._kept.setdefault(check.name, kept)

    async def keep_up(self, snapshot: Snapshot, results: Sequence[CheckResult]) -> None:
        """Make what is missing or outdated, whenever nobody else runs anything. Cancelling ends the run."""
        await self.load(results)
        for check, result in self._worth(results):
            kept = self._kept.get(check.name)
            if kept is None or await asyncio.to_thread(is_outdated, kept, snapshot, result):
                await self._make(check, snapshot, result)

    async def _make(self, check: Check, snapshot: Snapshot, result: CheckResult) -> None:
        pause = FIRST_PAUSE
        for _ in range(MOST_TRIES):
            try:
                made = await make(self._sandbox, check, snapshot, result)
            except InfrastructureError as error:
                logger.info("no map of %s: %s", check.name, error)
                return
            if isinstance(made, Kept):
                self._kept[check.name] = made
                await self._write(check, made)
                return
            if made == "silent":
                self._silent.add(check.name)
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _write(self, check: Check, made: Kept) -> None:
        try:
            await self._recorder.keep_impact(check.name, made)
        except JournalError as error:
            logger.info("the map of %s is not kept: %s", check.name, error)

    def _worth(self, results: Sequence[CheckResult]) -> list[tuple[Check, CheckResult]]:
        checks = self._sandbox.environment.fields.checks
        pairs = [(checks[result.check], result) for result in results if result.check in checks]
        return [(check, result) for check, result in pairs if check.name not in self._silent and pays(check, result)]
