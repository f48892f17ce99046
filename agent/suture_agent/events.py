"""What a repair tells while it runs. `to_json` gives the lines of `suture fix --json` (CLI.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from suture_sandbox.findings import Finding
from suture_sandbox.verdict import Verdict

Outcome = Literal["fixed", "unfixed", "infrastructure", "cancelled"]


class ProblemFound(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="problem"):
    """A failure was reproduced and is worked on now."""

    id: str
    check: str
    findings: tuple[Finding, ...]


class ProblemDropped(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="dropped"):
    """A failure passed unchanged when it was run again, or vanished with an earlier fix."""

    id: str
    check: str
    reason: str


class StepDone(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="step"):
    """One step of an episode: an answer of the policy, a tool call, a candidate tried."""

    problem: str
    step: int
    tool: str
    seconds: float
    note: str = ""
    """What it was about, in a few words."""


class Progress(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="progress"):
    """Something is under way; for people, not part of the JSON lines."""

    problem: str = ""
    phase: str


class VerdictReached(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="verdict"):
    """A patch was proven or refused."""

    problem: str
    verdict: Verdict


class RepairDone(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="repair"):
    """A problem is finished."""

    problem: str
    outcome: Outcome
    patch: str = ""
    """Path of the written diff, relative to the workspace."""
    files: tuple[str, ...] = ()
    added: int = 0
    removed: int = 0
    steps: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    seconds_policy: float = 0.0
    seconds_sandbox: float = 0.0
    reason: str = ""


Event = ProblemFound | ProblemDropped | StepDone | Progress | VerdictReached | RepairDone
Events = Callable[[Event], None]


def to_json(event: Event) -> dict[str, Any] | None:
    """The documented JSON line of an event, None for one that is for people only."""
    if isinstance(event, Progress):
        return None
    if isinstance(event, ProblemFound):
        return {"event": "problem", "id": event.id, "check": event.check, "findings": len(event.findings)}
    if isinstance(event, VerdictReached):
        verdict = event.verdict
        return {
            "event": "verdict",
            "problem": event.problem,
            "passed": verdict.passed,
            "reruns": verdict.reruns,
            "fixed": list(verdict.fixed),
            "broken": list(verdict.broken),
            "flaky": list(verdict.flaky),
            "guard": [msgspec.to_builtins(finding) for finding in verdict.guard],
            "infrastructure": verdict.infrastructure,
            "reason": verdict.reason,
            "seconds": round(verdict.seconds, 3),
        }
    line: dict[str, Any] = msgspec.to_builtins(event)
    return {key: round(value, 3) if isinstance(value, float) else value for key, value in line.items()}
