"""Making a task set: sources propose, the sandbox verifies, what holds is kept, and at the end the set is split.

Candidates are verified side by side, as many as there are slots, and recorded in the order in which they were proposed: what a set holds
follows from text, environment, seed and count, not from how busy the machine was. Whatever is decided is on the disk; a run that was
killed goes on with `resume`, and comes to the same set.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.errors import ConfigurationError, InfrastructureError, PatchError
from suture_sandbox.slots import cores
from suture_training.rollout import Site
from suture_training.tasks.archive import Files
from suture_training.tasks.candidate import Candidate, Dropped, Proposal, Source
from suture_training.tasks.info import Tried, WorkspaceInfo
from suture_training.tasks.sites import Opener
from suture_training.tasks.store import Writer
from suture_training.tasks.task import Origin, Task
from suture_training.tasks.verify import Ground, Rules, verified

logger = logging.getLogger(__name__)

MOST_LOST = 5
"""Candidates in a row on which the machine failed before the run is given up."""


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """Something is under way."""

    text: str


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate was kept or dropped."""

    tried: Tried
    task: Task | None = None
    again: bool = False
    """Whether an earlier run decided it."""


class Lost(msgspec.Struct, frozen=True, kw_only=True):
    """The machine failed on a candidate: nothing is said about it, and the next run tries it again."""

    key: str
    reason: str


Outcome = tuple[Task | Dropped | InfrastructureError, float]
"""What became of a candidate, and the seconds that it took."""
Event = Phase | Decided | Lost
Tell = Callable[[Event], None]


class Counts(msgspec.Struct, kw_only=True):
    """What one run has done so far."""

    kept: int = 0
    candidates: int = 0
    lost: int = 0
    in_a_row: int = 0


class Factory:
    """Verifies candidates and records what becomes of them."""

    def __init__(self, writer: Writer, opener: Opener, ground: Ground, rules: Rules, tell: Tell, *, python: Path | None) -> None:
        self._writer = writer
        self._opener = opener
        self._ground = ground
        self._rules = rules
        self._tell = tell
        self._python = python
        self.counts = Counts()

    async def run(self, proposals: AsyncIterator[Proposal], count: int) -> None:
        """Go through proposals until so many tasks are there. Raises InfrastructureError where the machine fails again and again."""
        waiting: deque[tuple[Proposal, asyncio.Task[Outcome] | None]] = deque()
        try:
            async for proposal in proposals:
                decided = proposal.key in self._writer.decided
                waiting.append((proposal, None if decided else asyncio.create_task(self._outcome(proposal))))
                if len(waiting) > cores():
                    await self._settle(*waiting.popleft())
                if self.counts.kept >= count:
                    return
            while waiting and self.counts.kept < count:
                await self._settle(*waiting.popleft())
        finally:
            left = [work for _, work in waiting if work is not None]
            for work in left:
                work.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _outcome(self, proposal: Proposal) -> Outcome:
        started = time.monotonic()
        try:
            candidate = await proposal.make()
            found: Task | Dropped | InfrastructureError = await verified(candidate, await self._ground_of(candidate), self._rules)
        except Dropped as dropped:
            found = dropped
        except PatchError as error:
            found = Dropped("unusable", str(error))
        except InfrastructureError as error:
            found = error
        return found, time.monotonic() - started

    async def _ground_of(self, candidate: Candidate) -> Ground:
        """Where a candidate is tried: the workspace, or its own healthy text. Raises Dropped where that cannot be checked."""
        if candidate.files is None:
            return self._ground
        workspace = await asyncio.to_thread(self._writer.workspace, candidate.files)
        if workspace == self._ground.workspace:
            return self._ground
        try:
            site = await self._opener.open(self._writer.folder / "workspaces" / f"{workspace}.tar.zst", python=self._python)
            healthy = await site.sandbox.check_all(site.healthy, memo=True)
        except ConfigurationError as error:
            raise Dropped("unhealthy", str(error)) from error
        if lost := next((result for result in healthy if result.status == "infrastructure"), None):
            raise InfrastructureError(f"{lost.check}: {lost.reason}")
        note_workspace(self._writer, workspace, candidate.files, site, candidate.origin, healthy)
        return Ground(site=site, workspace=workspace, healthy=healthy)

    async def _settle(self, proposal: Proposal, work: asyncio.Task[Outcome] | None) -> None:
        """Record what became of a candidate, in its turn."""
        if work is None:
            tried = self._writer.decided[proposal.key]
            self._count(kept=bool(tried.task))
            self._tell(Decided(tried=tried, again=True))
            return
        found, seconds = await work
        if isinstance(found, InfrastructureError):
            self._lose(proposal, found)
            return
        known = Tried(key=proposal.key, origin=proposal.origin, name=proposal.name, seconds=round(seconds, 3))
        if isinstance(found, Task) and self._writer.has(found.id):
            found = Dropped("duplicate", found.id)
        if isinstance(found, Task):
            tried = msgspec.structs.replace(known, name=found.origin.name, task=found.id)
            self._writer.keep(found, tried)
            self._tell(Decided(tried=tried, task=found))
        else:
            tried = msgspec.structs.replace(known, dropped=found.why, detail=found.detail)
            self._writer.drop(tried)
            self._tell(Decided(tried=tried))
        self._count(kept=isinstance(found, Task))

    def _count(self, *, kept: bool) -> None:
        self.counts.candidates += 1
        self.counts.kept += kept
        self.counts.in_a_row = 0

    def _lose(self, proposal: Proposal, error: InfrastructureError) -> None:
        self.counts.lost += 1
        self.counts.in_a_row += 1
        self._tell(Lost(key=proposal.key, reason=str(error)))
        if self.counts.in_a_row >= MOST_LOST:
            raise error


async def merged(sources: Sequence[Source]) -> AsyncIterator[Proposal]:
    """One proposal of each source in turn, until all have none left."""
    left = [source.proposals() for source in sources]
    while left:
        for proposals in tuple(left):
            try:
                yield await anext(proposals)
            except StopAsyncIteration:
                left.remove(proposals)


async def baseline(site: Site, runs: int) -> tuple[Site, tuple[CheckResult, ...]]:
    """What the checks say of the healthy text, and the site with the tests that flip on it.

    Raises ConfigurationError where no check passes, or none of all tests does.
    """
    every = [await site.sandbox.check_all(site.healthy) for _ in range(max(1, runs))]
    if lost := next((result for results in every for result in results if result.status == "infrastructure"), None):
        raise InfrastructureError(f"{lost.check}: {lost.reason}")
    first = every[0]
    refuse_unhealthy(site.sandbox.environment.fields.checks, first)
    return msgspec.structs.replace(site, flaky=flipping(every), shifting=shifting(every)), first


def refuse_unhealthy(checks: Mapping[str, Check], results: Sequence[CheckResult]) -> None:
    """Raise ConfigurationError for a text of which nothing can be broken: no check passes, or none of all tests does."""
    remedy = "make the checks pass: suture check; files that git ignores are left out unless --include names them"
    if not any(_holds(result) for result in results):
        names = ", ".join(f"{result.check} ({result.reason or result.status})" for result in results) or "there are none"
        raise ConfigurationError(f"no check passes on the healthy text: {names}", remedy=remedy)
    tests = [result for result in results if checks[result.check].kind == "tests"]
    if tests and not any(_holds(result) for result in tests):
        first = next((finding.message.splitlines()[0] for result in tests for finding in result.findings if finding.message), "")
        raise ConfigurationError(f"no test passes on the healthy text: {first or tests[0].reason}", remedy=remedy)


def _holds(result: CheckResult) -> bool:
    return result.passed or any(test.good for test in result.tests)


def flipping(every: Sequence[Sequence[CheckResult]]) -> Mapping[str, tuple[str, ...]]:
    """Check -> tests that did not end alike in all runs of the same text."""
    found: dict[str, tuple[str, ...]] = {}
    for check, runs in _by_check(every).items():
        good = _always_and_ever([{test.id for test in run.tests if test.good} for run in runs])
        there, _ = _always_and_ever([{test.id for test in run.tests} for run in runs])
        found[check] = tuple(sorted((good[1] - good[0]) & there))
    return {check: tests for check, tests in found.items() if tests}


def shifting(every: Sequence[Sequence[CheckResult]]) -> Mapping[str, tuple[str, ...]]:
    """Check -> functions of tests that were not there in all runs of the same text."""
    found: dict[str, tuple[str, ...]] = {}
    for check, runs in _by_check(every).items():
        always, ever = _always_and_ever([{test.id for test in run.tests} for run in runs])
        found[check] = tuple(sorted({name.partition("[")[0] for name in ever - always}))
    return {check: functions for check, functions in found.items() if functions}


def _always_and_ever(sets: Sequence[set[str]]) -> tuple[set[str], set[str]]:
    """What is in all of them, and what is in any."""
    ever = {name for each in sets for name in each}
    return {name for name in ever if all(name in each for each in sets)}, ever


def _by_check(every: Sequence[Sequence[CheckResult]]) -> dict[str, list[CheckResult]]:
    found: dict[str, list[CheckResult]] = {}
    for results in every:
        for result in results:
            found.setdefault(result.check, []).append(result)
    return found


def note_workspace(writer: Writer, workspace: str, files: Files, site: Site, origin: Origin, healthy: Sequence[CheckResult]) -> None:
    """Put what is known of a workspace into the set, and its environment."""
    environment = writer.environment(site.sandbox.environment.fields)
    found = WorkspaceInfo(
        repository=origin.repository,
        environment=environment,
        files=len(files),
        bytes=sum(len(file.content) for file in files.values()),
        flaky=site.flaky,
        shifting=site.shifting,
        failing={result.check: len(result.findings) for result in healthy if not result.passed},
    )
    if writer.info.workspaces.get(workspace) != found:
        writer.note(msgspec.structs.replace(writer.info, workspaces={**writer.info.workspaces, workspace: found}))
