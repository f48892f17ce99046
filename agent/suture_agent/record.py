"""The seam between a run and the journal: what a run records, what people make of it, and what is asked for when it resumes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from suture_agent.harness import Harness
from suture_agent.impact.map import Kept
from suture_agent.journal.identifiers import Identifiers
from suture_agent.policies import PolicyIdentity
from suture_agent.problem import Problem
from suture_agent.quarantine import Quarantined, entries, merged, still_known
from suture_agent.recall import HeldOut, PastFix
from suture_agent.repair import Repair
from suture_agent.reproduce import Dropped
from suture_agent.survival import Survival
from suture_sandbox.checks import CheckResult
from suture_sandbox.environment import Environment
from suture_sandbox.flaky.statistics import FlakyTest
from suture_sandbox.patch import Patch
from suture_sandbox.snapshot import Snapshot

if TYPE_CHECKING:
    from suture_agent.journal.entries import Origin, RunEntry
    from suture_agent.journal.kinds import DecisionKind, Moment, Shown, Source
    from suture_agent.journal.offers import OpenOffer
    from suture_agent.journal.store import Journal

QUARANTINE_DAYS = 14
"""How long a test that was seen to be flaky decides nothing."""


class Recorder(Protocol):
    """Keeps what a run did. Each method returns once the record is durable."""

    async def problem(self, problem: Problem) -> None:
        """A problem is worked on."""
        ...

    async def repair(self, done: Repair, identity: PolicyIdentity, harness: Harness) -> str:
        """A problem is finished: its episode, patch and verdict. Returns the episode's identifier; empty when nothing is kept."""
        ...

    async def offer(self, episode: str, shown: Shown) -> str:
        """A proven patch is about to be shown. Returns the offer's identifier."""
        ...

    async def seen(self, offer: str) -> None:
        """A person looks at an offer."""
        ...

    async def decide(
        self, offer: str, kind: DecisionKind, correction: Patch | None = None, *, source: Source = "told", reason: str = ""
    ) -> None:
        """What became of an offer, with what the person made of the patch where they changed it."""
        ...

    async def survived(self, offer: str, moment: Moment, found: Survival) -> None:
        """How much of an accepted patch was still there at a moment after."""
        ...

    async def open_offers(self, *, since: float = 0.0) -> tuple[OpenOffer, ...]:
        """Offers of this workspace and environment that wait for a decision, newest first, none older than `since`."""
        ...

    async def proven(self, problem: Problem) -> tuple[Patch, ...]:
        """Patches that were proven before for the same problem in the same environment, newest first."""
        ...

    async def recall(self, query: str, limit: int = 3, *, code: str = "", held_out: HeldOut | None = None) -> tuple[PastFix, ...]:
        """Past proven fixes that resemble a failure."""
        ...

    async def dropped(self, problem: Problem, why: Dropped) -> None:
        """A problem is not worked on: it passed unchanged, or only flaky tests fail."""
        ...

    async def flaky(self, snapshot: Snapshot, tests: Sequence[FlakyTest]) -> None:
        """Tests were seen to flip on one text: they go into the quarantine of this workspace and environment."""
        ...

    async def known_flaky(self, snapshot: Snapshot, results: Sequence[CheckResult]) -> Mapping[str, tuple[str, ...]]:
        """Check -> those of the tests in these results that are in quarantine."""
        ...

    async def impact(self, check: str) -> Kept | None:
        """The map of which tests of a check ran what, of this workspace in this environment."""
        ...

    async def keep_impact(self, check: str, kept: Kept) -> None:
        """Such a map was made."""
        ...


class NoRecorder:
    """Keeps nothing: the journal is switched off. Offers have identifiers all the same, so that they can be shown and decided."""

    def __init__(self, *, quarantine_days: int = QUARANTINE_DAYS) -> None:
        self._identifiers = Identifiers()
        self._days = quarantine_days
        self._quarantine: dict[tuple[str, str], Quarantined] = {}
        """In memory only, so that what a run has learned holds for the rest of it."""

    async def problem(self, problem: Problem) -> None:
        """Keep nothing."""

    async def repair(self, done: Repair, identity: PolicyIdentity, harness: Harness) -> str:  # noqa: ARG002  # the protocol's shape
        """Keep nothing."""
        return ""

    async def offer(self, episode: str, shown: Shown) -> str:  # noqa: ARG002  # the protocol's shape
        """An identifier of its own."""
        return self._identifiers.new()

    async def seen(self, offer: str) -> None:
        """Keep nothing."""

    async def decide(
        self, offer: str, kind: DecisionKind, correction: Patch | None = None, *, source: Source = "told", reason: str = ""
    ) -> None:
        """Keep nothing."""

    async def survived(self, offer: str, moment: Moment, found: Survival) -> None:
        """Keep nothing."""

    async def open_offers(self, *, since: float = 0.0) -> tuple[OpenOffer, ...]:  # noqa: ARG002  # the protocol's shape
        """Nothing was kept."""
        return ()

    async def proven(self, problem: Problem) -> tuple[Patch, ...]:  # noqa: ARG002  # the protocol's shape
        """Nothing was kept."""
        return ()

    async def recall(self, query: str, limit: int = 3, *, code: str = "", held_out: HeldOut | None = None) -> tuple[PastFix, ...]:  # noqa: ARG002  # the protocol's shape
        """Nothing was kept."""
        return ()

    async def dropped(self, problem: Problem, why: Dropped) -> None:
        """Keep nothing."""

    async def flaky(self, snapshot: Snapshot, tests: Sequence[FlakyTest]) -> None:
        """Known until the run ends."""
        for entry in await asyncio.to_thread(entries, snapshot, tests):
            key = (entry.check, entry.test_hash)
            self._quarantine[key] = merged(self._quarantine.get(key), entry)

    async def known_flaky(self, snapshot: Snapshot, results: Sequence[CheckResult]) -> Mapping[str, tuple[str, ...]]:
        """What this run has learned."""
        return await asyncio.to_thread(still_known, tuple(self._quarantine.values()), snapshot, results, self._days)

    async def impact(self, check: str) -> Kept | None:  # noqa: ARG002  # the protocol's shape
        """Nothing was kept."""
        return None

    async def keep_impact(self, check: str, kept: Kept) -> None:
        """Keep nothing."""


class JournalRecorder:
    """Keeps what one run over one workspace does in the journal."""

    def __init__(
        self,
        journal: Journal,
        environment: Environment,
        root: Path,
        *,
        quarantine_days: int = QUARANTINE_DAYS,
        origin: Origin | None = None,
    ) -> None:
        """`origin`: which repository and task the work belongs to, where a task set knows better than the workspace's path."""
        from suture_agent.journal.entries import run_entry
        from suture_agent.journal.stored import PackedResults

        self._results = PackedResults()
        self._days = quarantine_days
        self._origin = origin
        self._journal = journal
        self._environment = environment
        self._root = root
        self._run: RunEntry = run_entry(journal.identifier(), root, journal.level)
        self._open: set[str] = set()
        """Problems that are worked on: a fix of theirs is no past fix."""

    async def problem(self, problem: Problem) -> None:
        """A problem is worked on."""
        self._open.add(problem.id)
        await self._journal.call(self._write_problem, problem)

    async def repair(self, done: Repair, identity: PolicyIdentity, harness: Harness) -> str:
        """A problem is finished: problem, episode, patch, verdict and identities, in one transaction that is durable on return."""
        episode = await self._journal.call(self._write_repair, done, identity, harness)
        self._open.discard(done.problem.id)
        return episode

    async def offer(self, episode: str, shown: Shown) -> str:
        """A proven patch is about to be shown; raises JournalError for an episode that holds none."""
        return await self._journal.call(self._journal.write_offer, episode, shown)

    async def seen(self, offer: str) -> None:
        """A person looks at an offer; the first time counts."""
        await self._journal.call(self._journal.write_seen, offer)

    async def decide(
        self, offer: str, kind: DecisionKind, correction: Patch | None = None, *, source: Source = "told", reason: str = ""
    ) -> None:
        """What became of an offer, durable on return; raises JournalError for an offer that was erased meanwhile."""
        await self._journal.call(self._write_decision, offer, kind, correction, source, reason)

    async def survived(self, offer: str, moment: Moment, found: Survival) -> None:
        """How much of an accepted patch was still there at a moment after."""
        await self._journal.call(self._journal.write_survival, offer, moment, tokens=found.tokens, kept=found.kept)

    async def open_offers(self, *, since: float = 0.0) -> tuple[OpenOffer, ...]:
        """Offers of this workspace and environment that wait for a decision; none that were recorded at the level `metadata`."""
        from suture_agent.journal.offers import open_offers

        return await self._journal.call(open_offers, self._journal, self._root, self._environment.identity, since=since)

    async def proven(self, problem: Problem) -> tuple[Patch, ...]:
        """Patches that were proven before for the same problem in the same environment, newest first."""
        from suture_agent.journal import queries

        return await self._journal.call(queries.proven, self._journal, problem.id, self._environment.identity)

    async def recall(self, query: str, limit: int = 3, *, code: str = "", held_out: HeldOut | None = None) -> tuple[PastFix, ...]:
        """Past proven fixes of this machine that resemble a failure; none of a problem that is worked on now, and nothing held out."""
        from suture_agent.journal.past_fixes import recall

        still = frozenset(self._open)
        return await self._journal.call(recall, self._journal, query, limit, code=code, without=still, held_out=held_out)

    async def dropped(self, problem: Problem, why: Dropped) -> None:
        """A problem is not worked on; only the count is kept."""
        from suture_agent.journal import quarantine

        await self._journal.call(quarantine.write_dropped, self._journal, self._run, self._environment.identity, problem.check, why)

    async def flaky(self, snapshot: Snapshot, tests: Sequence[FlakyTest]) -> None:
        """Tests were seen to flip on one text; durable on return."""
        from suture_agent.journal import quarantine

        if tests:
            found = await asyncio.to_thread(entries, snapshot, tests)
            await self._journal.call(quarantine.write_flaky, self._journal, self._run, self._environment, found)

    async def known_flaky(self, snapshot: Snapshot, results: Sequence[CheckResult]) -> Mapping[str, tuple[str, ...]]:
        """Those of the tests in these results whose entry in the quarantine has not expired."""
        from suture_agent.journal import quarantine

        known = await self._journal.call(quarantine.flaky_of, self._journal, self._root, self._environment.identity)
        return await asyncio.to_thread(still_known, known, snapshot, results, self._days)

    async def impact(self, check: str) -> Kept | None:
        """The map that was kept last; None at the level `metadata`: it is nothing but paths and names."""
        from suture_agent.journal import impacts

        return await self._journal.call(impacts.read_map, self._journal, self._root, self._environment.identity, check)

    async def keep_impact(self, check: str, kept: Kept) -> None:
        """A map is kept in the place of the one before."""
        from suture_agent.journal import impacts

        await self._journal.call(impacts.write_map, self._journal, self._root, self._environment.identity, check, kept)

    def end(self) -> None:
        """The run is over; a run that recorded nothing leaves no trace."""
        self._journal.end_run(self._run)

    def _write_problem(self, problem: Problem) -> None:
        from suture_agent.journal.entries import problem_entry

        entry = problem_entry(problem, self._environment, self._journal.level, results=self._results)
        self._journal.write_problem(self._run, entry)

    def _write_decision(self, offer: str, kind: DecisionKind, correction: Patch | None, source: Source, reason: str) -> None:
        from suture_agent.journal.entries import level_for, patch_entry

        entry = None
        if correction is not None:
            entry = patch_entry(correction, level_for(correction.paths, self._environment, self._journal.level))
        self._journal.write_decision(offer, kind, entry, source=source, reason=reason)

    def _write_repair(self, done: Repair, identity: PolicyIdentity, harness: Harness) -> str:
        from suture_agent.journal.entries import episode_entry

        level, origin = self._journal.level, self._origin
        return self._journal.write_episode(self._run, episode_entry(done, self._environment, identity, harness, level, origin=origin))
