"""Recall: past proven fixes that resemble a failure. Where they come from is the caller's business; the journal implements it."""

from __future__ import annotations

from typing import Protocol

import msgspec


class PastFix(msgspec.Struct, frozen=True, kw_only=True):
    """A fix that was proven before."""

    failure: str
    """What failed, in a few lines."""
    diff: str


class Recall(Protocol):
    """Looks up past fixes."""

    async def __call__(self, query: str, limit: int = 3) -> tuple[PastFix, ...]:
        """The most similar past fixes, best first."""
        ...


async def no_recall(query: str, limit: int = 3) -> tuple[PastFix, ...]:  # noqa: ARG001  # the protocol's shape
    """A recall that remembers nothing."""
    return ()
