"""The seam between a run and the journal: what a run records, and what it asks for when it resumes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from suture_agent.harness import Harness
from suture_agent.policies import PolicyIdentity
from suture_agent.problem import Problem
from suture_agent.recall import PastFix
from suture_agent.repair import Repair
from suture_sandbox.environment import Environment
from suture_sandbox.patch import Patch

if TYPE_CHECKING:
    from suture_agent.journal.entries import RunEntry
    from suture_agent.journal.store import Journal


class Recorder(Protocol):
    """Keeps what a run did. Each method returns once the record is durable."""

    async def problem(self, problem: Problem) -> None:
        """A problem is worked on."""
        ...

    async def repair(self, done: Repair, identity: PolicyIdentity, harness: Harness) -> None:
        """A problem is finished: its episode, patch and verdict."""
        ...

    async def proven(self, problem: Problem) -> tuple[Patch, ...]:
        """Patches that were proven before for the same problem in the same environment, newest first."""
        ...

    async def recall(self, query: str, limit: int = 3) -> tuple[PastFix, ...]:
        """Past proven fixes that resemble a failure."""
        ...


class NoRecorder:
    """Keeps nothing: the journal is switched off."""

    async def problem(self, problem: Problem) -> None:
        """Keep nothing."""

    async def repair(self, done: Repair, identity: PolicyIdentity, harness: Harness) -> None:
        """Keep nothing."""

    async def proven(self, problem: Problem) -> tuple[Patch, ...]:  # noqa: ARG002  # the protocol's shape
        """Nothing was kept."""
        return ()

    async def recall(self, query: str, limit: int = 3) -> tuple[PastFix, ...]:  # noqa: ARG002  # the protocol's shape
        """Nothing was kept."""
        return ()


class JournalRecorder:
    """Keeps what one run over one workspace does in the journal."""

    def __init__(self, journal: Journal, environment: Environment, root: Path) -> None:
        from suture_agent.journal.entries import run_entry

        self._journal = journal
        self._environment = environment
        self._run: RunEntry = run_entry(journal.identifier(), root, journal.level)
        self._open: set[str] = set()
        """Problems that are worked on: a fix of theirs is no past fix."""

    async def problem(self, problem: Problem) -> None:
        """A problem is worked on."""
        self._open.add(problem.id)
        await self._journal.call(self._write_problem, problem)

    async def repair(self, done: Repair, identity: PolicyIdentity, harness: Harness) -> None:
        """A problem is finished: problem, episode, patch, verdict and identities, in one transaction that is durable on return."""
        await self._journal.call(self._write_repair, done, identity, harness)
        self._open.discard(done.problem.id)

    async def proven(self, problem: Problem) -> tuple[Patch, ...]:
        """Patches that were proven before for the same problem in the same environment, newest first."""
        from suture_agent.journal import queries

        return await self._journal.call(queries.proven, self._journal, problem.id, self._environment.identity)

    async def recall(self, query: str, limit: int = 3) -> tuple[PastFix, ...]:
        """Past proven fixes of this machine that resemble a failure."""
        from suture_agent.journal import queries

        return await self._journal.call(queries.recall, self._journal, query, limit, without=frozenset(self._open))

    def end(self) -> None:
        """The run is over; a run that recorded nothing leaves no trace."""
        self._journal.end_run(self._run)

    def _write_problem(self, problem: Problem) -> None:
        from suture_agent.journal.entries import problem_entry

        self._journal.write_problem(self._run, problem_entry(problem, self._environment, self._journal.level))

    def _write_repair(self, done: Repair, identity: PolicyIdentity, harness: Harness) -> None:
        from suture_agent.journal.entries import episode_entry

        self._journal.write_episode(self._run, episode_entry(done, self._environment, identity, harness, self._journal.level))
