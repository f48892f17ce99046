"""The two pipelines of the one path, `simplified` and `full` (arXiv 2510.22075, its two pipelines; docs/pipelines.md). One file each.

A pipeline decides which error an episode is about, what past fix it is shown, and what becomes of a proposal that is not proven. It never
judges: `Work.prove` does, always the whole patch against the original snapshot. What a pipeline does is a field of the harness.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

import msgspec

from suture_agent.episodes import Ending
from suture_agent.events import Events
from suture_agent.harness import Harness, Pipeline
from suture_agent.meter import Meter
from suture_agent.policies import Capability
from suture_agent.problem import Problem
from suture_agent.recall import Recall
from suture_sandbox.patch import Patch
from suture_sandbox.verdict import Verdict

StepOutcome = Literal["fixed", "kept", "reverted"]
Seen = Literal["", "different", "similar", "broken", "gone"]
"""What the last proposal of an episode came to, see `relation`; empty where there was none that could be looked at."""


class OuterStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One episode of the outer loop, as it is recorded."""

    check: str
    """Of the main error."""
    place: str
    """Its path and one-based line, or the test."""
    error: str
    """What it says, in one line."""
    stage: str
    """How far what failed had come (`signature.Stage`)."""
    why: str
    """Why it is the main error."""
    attempt: int
    """0 for the first episode on this error."""
    candidate: str = ""
    """The past fix that was shown: the identifier of its episode, `cached` where a start brought it, empty for none."""
    outcome: StepOutcome
    seen: Seen = ""
    reason: str = ""
    """Why it was reverted; what appeared where it was kept."""
    paths: tuple[str, ...] = ()
    """Files of the patch so far, where it was kept."""
    turns: tuple[int, int] = (0, 0)
    """Where its requests lie in the repair's turns, the second number not included. Each step is a conversation of its own."""
    seconds: float = 0.0


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge said of a patch that the sandbox had proven."""

    accepted: bool
    reason: str = ""
    turn: int = -1
    """Its answer's place in the repair's turns."""


class Course(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a pipeline did, beside the conversations."""

    steps: tuple[OuterStep, ...] = ()
    judged: tuple[Judgement, ...] = ()
    kept: Patch = Patch()
    """The progress that was kept, against the original snapshot; it is proven only as part of a repair that is fixed."""


class Trail:
    """The course while it is run. The one mutable thing of a pipeline, so that what was done is known however it ends."""

    def __init__(self) -> None:
        self.steps: list[OuterStep] = []
        self.judged: list[Judgement] = []
        self.kept = Patch()

    @property
    def course(self) -> Course:
        """What was done so far."""
        return Course(steps=tuple(self.steps), judged=tuple(self.judged), kept=self.kept)


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a pipeline works with."""

    problem: Problem
    capability: Capability
    harness: Harness
    meter: Meter
    prove: Callable[[Patch], Awaitable[Verdict]]
    """The verdict on a patch against the problem's own snapshot, the judge's word included; raises InfrastructureError."""
    recall: Recall
    """Bound to what the harness allows: nothing, a cached start's fixes, or the journal without what is held out."""
    events: Events
    trail: Trail


def pipeline_of(name: Pipeline) -> Callable[[Work], Awaitable[Ending]]:
    """The pipeline of that name."""
    from suture_agent.pipelines.full import full
    from suture_agent.pipelines.simplified import simplified

    pipelines: Mapping[Pipeline, Callable[[Work], Awaitable[Ending]]] = {"full": full, "simplified": simplified}
    return pipelines[name]
