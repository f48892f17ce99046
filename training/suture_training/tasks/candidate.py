"""Candidates: broken texts with a known mend, before anything is verified. Sources propose them; `verify` makes tasks of some."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal, Protocol

import msgspec

from suture_sandbox.checks import CheckKind
from suture_training.tasks.archive import Files
from suture_training.tasks.task import Edit, Origin, OriginKind

Why = Literal[
    "unusable",
    "uncovered",
    "survived",
    "timeout",
    "crashed",
    "slow",
    "flaky",
    "guard",
    "unmended",
    "unchanged",
    "duplicate",
    "unhealthy",
    "refused",
]
"""Why a candidate becomes no task.

unusable    there is no candidate: an answer that does not parse, a text that is no UTF-8, a patch that no longer fits
unhealthy   the healthy text of a commit cannot be checked
uncovered   no test runs what was changed
survived    no check fails
timeout     a check did not end in the time that it is given
crashed     a check ended without saying what failed
slow        the failing check takes longer than the filter allows
flaky       the failure does not show every time, or the mend does not hold every time
guard       the guard refuses the mend
unmended    the mend does not pass
unchanged   a patch that mends nothing passes
duplicate   the set has it already
refused     it resembles a task that is held out
"""


class Dropped(Exception):
    """A candidate is no task."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(f"{why}: {detail}")
        self.why: Why = why
        self.detail = detail


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A broken text and what mends it."""

    origin: Origin
    broken: tuple[Edit, ...]
    gold: tuple[Edit, ...]
    kind: CheckKind | None = None
    """The kind of check that is to notice; None for whichever does."""
    files: Files | None = None
    """The healthy workspace where it is one of its own; None for the one that the source was opened with."""


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate that can be made, under the name by which a run that goes on knows it again."""

    key: str
    origin: OriginKind
    name: str
    """As `Origin.name`."""
    make: Callable[[], Awaitable[Candidate]]
    """Raises Dropped where there is no candidate."""


class Source(Protocol):
    """Where candidates come from."""

    def proposals(self) -> AsyncIterator[Proposal]:
        """Candidates in an order that a seed decides, the same in every run over the same text."""
        ...


def ready(key: str, candidate: Candidate) -> Proposal:
    """A candidate that is made already."""

    async def make() -> Candidate:
        return candidate

    return Proposal(key=key, origin=candidate.origin.kind, name=candidate.origin.name, make=make)
