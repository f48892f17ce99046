"""Recall: past proven fixes that resemble a failure. Where they come from is the caller's business; the journal implements it.

In an evaluation nothing of what is held out may be recalled, or the answers would be looked up: `HeldOut` names it, `bound` keeps to it.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from string import Template
from typing import Protocol

import msgspec

from suture_agent.harness import CANDIDATE_PROMPT, Harness, prompt
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.identity import identity_of
from suture_sandbox.sandbox import shorten


class PastFix(msgspec.Struct, frozen=True, kw_only=True):
    """A fix that was proven before, and where it comes from."""

    failure: str
    """What failed, in a few lines."""
    diff: str
    episode: str = ""
    """Identifier of the journal's episode."""
    problem: str = ""
    """Identifier of the problem."""
    mark: str = ""
    """What stays of the problem's identifier while the text around it changes."""
    repository: str = ""
    """`label` of the repository; empty where it is not known."""
    task: str = ""
    """`label` of the task; empty for a fix that was made outside of a task set."""


class HeldOut(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A named exclusion set: what an evaluation must not be told. Everything of a repository goes with it."""

    name: str
    """Such as `tasks-2026-05/test`; it and the content are part of the harness's identity."""
    problems: frozenset[str] = frozenset()
    """Identifiers of problems."""
    marks: frozenset[str] = frozenset()
    """Marks of problems: the same failure of a slightly other text."""
    repositories: frozenset[str] = frozenset()
    """Labels of repositories."""
    tasks: frozenset[str] = frozenset()
    """Labels of tasks."""

    @cached_property
    def identity(self) -> str:
        """Name and digest, as `Harness.held_out` has it."""
        parts = {name: sorted(getattr(self, name)) for name in ("problems", "marks", "repositories", "tasks")}
        return f"{self.name} {identity_of(parts)}"

    def withholds(self, fix: PastFix) -> bool:
        """Whether a fix must not be shown. One whose origin is not known must not either."""
        known = bool(fix.problem and fix.mark and fix.repository)
        named = fix.problem in self.problems or fix.mark in self.marks or fix.repository in self.repositories or fix.task in self.tasks
        return named or not known


class Recall(Protocol):
    """Looks up past fixes."""

    async def __call__(self, query: str, limit: int = 3, *, code: str = "", held_out: HeldOut | None = None) -> tuple[PastFix, ...]:
        """The most similar past fixes, best first: of a failure's text, and of the code around it where that is given."""
        ...


async def no_recall(query: str, limit: int = 3, *, code: str = "", held_out: HeldOut | None = None) -> tuple[PastFix, ...]:  # noqa: ARG001  # the protocol's shape
    """A recall that remembers nothing."""
    return ()


def cached(fixes: tuple[PastFix, ...]) -> Recall:
    """The recall of a cached start: the same fixes whatever is asked, so that retrieval cannot drift."""

    async def recall(query: str, limit: int = 3, *, code: str = "", held_out: HeldOut | None = None) -> tuple[PastFix, ...]:  # noqa: ARG001  # the protocol's shape
        return fixes[: max(0, limit)]

    return recall


def bound(recall: Recall, harness: Harness, held_out: HeldOut | None) -> Recall:
    """What a repair under a harness may remember: nothing where it says so, and never what is held out, whatever the source gives.

    Raises ConfigurationError where the exclusion set is not the one that the harness was made for.
    """
    expected = harness.held_out or ""
    given = held_out.identity if held_out is not None else ""
    if expected != given:
        raise ConfigurationError(
            f"the harness holds out {expected or 'nothing'}, and the repair {given or 'nothing'}",
            remedy="give both the same exclusion set: held_out=HeldOut(...) and Harness.held_out = its identity",
        )
    if harness.recall == "off":
        return no_recall
    excluded = held_out

    async def remember(query: str, limit: int = 3, *, code: str = "", held_out: HeldOut | None = None) -> tuple[PastFix, ...]:  # noqa: ARG001  # bound
        found = await recall(query, limit, code=code, held_out=excluded) if code or excluded is not None else await recall(query, limit)
        return found if excluded is None else tuple(fix for fix in found if not excluded.withholds(fix))

    return remember


def label(name: str) -> str:
    """What is kept and compared of the name of a repository or task: a digest, since a name may say too much for the journal."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16] if name else ""


def shown(fix: PastFix, *, longest: int) -> str:
    """A past fix as a candidate in a conversation."""
    return Template(prompt(CANDIDATE_PROMPT)).safe_substitute(
        failure=shorten(fix.failure, longest // 3).strip(), diff=shorten(fix.diff, longest).rstrip()
    )
