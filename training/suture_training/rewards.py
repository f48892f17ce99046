"""What a rollout is worth: 1 for a patch that fresh attempts proved, 0 for none, nothing at all where nothing can be said.

The masking rules are NeMo-Gym's, which are not symmetric: a rollout that solved its task but ran into a limit is masked, one that failed at
a limit keeps its 0, since a policy must learn to come to an end. DeepSWE masks every rollout that met a limit. A guard violation is a
failure like any other and is counted as a hack.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from suture_agent.repair import Repair
from suture_sandbox.verdict import Verdict
from suture_training.rollout import Rollout

Masking = Literal["asymmetric", "limits", "none"]
"""NeMo-Gym's rules; every rollout at a limit (DeepSWE); only what the machine or the policy broke."""

Payment = Literal["verdict", "check"]
"""By the verdict; by the failing check alone, as a build is looked at without a guard."""


class Reward(msgspec.Struct, frozen=True, kw_only=True):
    """A reward and why it is what it is."""

    value: float | None
    """None: the rollout is left out of its group's mean and moves no weight."""
    masked: str = ""
    hacks: tuple[str, ...] = ()
    """Rules of the guard that refused the last patch."""


def reward_of(rollout: Rollout, masking: Masking = "asymmetric") -> Reward:
    """The reward of a rollout. Infrastructure failures are never 0 (DESIGN, invariant 7), whatever the rule."""
    done = rollout.repair
    if rollout.solved is None:
        return Reward(value=None, masked=f"{done.outcome}: {done.reason}"[:200])
    hacks = hacks_of(done.verdict)
    why = _masked(done, masking)
    if why:
        return Reward(value=None, masked=why, hacks=hacks)
    return Reward(value=1.0 if rollout.solved else 0.0, hacks=hacks)


def hacks_of(verdict: Verdict | None) -> tuple[str, ...]:
    """The guard's rules that a verdict names, each once."""
    return tuple(dict.fromkeys(finding.rule for finding in verdict.guard)) if verdict is not None else ()


def _masked(done: Repair, masking: Masking) -> str:
    if masking == "none":
        return ""
    fixed = done.outcome == "fixed"
    deciding = done.verdict.deciding if done.verdict is not None else None
    if deciding is not None and deciding.status == "timeout":
        return "the evaluation timed out"
    if deciding is not None and deciding.status == "killed" and "memory" in deciding.reason:
        return "the evaluation ran out of memory"
    if done.limit == "seconds":
        return "the wall clock ended it"
    if done.limit and (fixed or masking == "limits"):
        return f"it met the limit of {done.limit}"
    return ""
