"""The seam between a run and the journal: what a run records, and what it asks for when it resumes."""

from __future__ import annotations

from typing import Protocol

from suture_agent.harness import Harness
from suture_agent.policies import PolicyIdentity
from suture_agent.problem import Problem
from suture_agent.recall import PastFix
from suture_agent.repair import Repair
from suture_sandbox.patch import Patch


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
