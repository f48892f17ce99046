"""`repair`: THE way a repair happens. The language server, `suture fix`, data collection, rollouts and evaluation call it.

What differs between them is a field of the harness, recorded, never a second implementation.
"""

from __future__ import annotations

import asyncio
import time

import msgspec

from suture_agent.episodes import Ending, Job, episode_of
from suture_agent.errors import PolicyError
from suture_agent.events import Events, Outcome, Progress, VerdictReached
from suture_agent.harness import Harness
from suture_agent.meter import Meter, Turn, Usage
from suture_agent.policies import Policy
from suture_agent.problem import Problem
from suture_agent.recall import Recall, no_recall
from suture_sandbox.errors import InfrastructureError, PatchError
from suture_sandbox.patch import Patch
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.verdict import Verdict, prove


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a problem."""

    problem: Problem
    outcome: Outcome
    reason: str = ""
    """Why it was not fixed; for a fix, where the patch came from when no policy wrote it."""
    patch: Patch | None = None
    """Proven when the outcome is `fixed`; else the last proposal, for the record only."""
    verdict: Verdict | None = None
    turns: tuple[Turn, ...] = ()
    """Every request to the policy with its answers."""
    usage: Usage = Usage()
    seconds: float = 0.0


async def repair(
    problem: Problem, policy: Policy, sandbox: Sandbox, harness: Harness, events: Events, *, recall: Recall = no_recall
) -> Repair:
    """Repair one problem; `sandbox` holds the environment. Failures of the machine or the policy become the outcome `infrastructure`.

    Cancelling the task ends the policy's request and kills the attempts before CancelledError leaves.
    """
    meter = Meter(problem.id, policy, sandbox, harness, events)
    started = time.monotonic()
    budget = asyncio.timeout(harness.budgets.seconds)
    try:
        async with budget:
            ending = await _pipeline(problem, policy, sandbox, harness, events, recall, meter)
        outcome: Outcome = "fixed" if ending.verdict is not None and ending.verdict.passed else "unfixed"
        reason = ending.reason
    except TimeoutError as error:
        ending, outcome, reason = Ending(), "unfixed", f"the budget of {harness.budgets.seconds} s is spent"
        if not budget.expired():  # something else ran out of time
            outcome, reason = "infrastructure", f"timed out: {error}"
    except (InfrastructureError, PolicyError) as error:
        ending, outcome, reason = Ending(), "infrastructure", str(error)
    if ending.verdict is not None:
        events(VerdictReached(problem=problem.id, verdict=ending.verdict))
    return Repair(
        problem=problem,
        outcome=outcome,
        reason=reason,
        patch=ending.patch,
        verdict=ending.verdict,
        turns=tuple(meter.turns),
        usage=meter.usage,
        seconds=time.monotonic() - started,
    )


async def _pipeline(
    problem: Problem, policy: Policy, sandbox: Sandbox, harness: Harness, events: Events, recall: Recall, meter: Meter
) -> Ending:
    """`simplified`: one episode from the fixed error. `full`: fresh episodes until one succeeds or the retries are used up."""

    async def proven(patch: Patch) -> Verdict:
        started = time.monotonic()
        try:
            return await prove_patch(problem, sandbox, harness, events, patch)
        finally:
            meter.add_sandbox(time.monotonic() - started)

    episode = episode_of(harness.preset)
    tries = 1 if harness.pipeline == "simplified" else 1 + harness.budgets.retries
    ending = Ending(reason="nothing was tried")
    for seed in range(tries):
        job = Job(problem=problem, capability=policy.capability, meter=meter, prove=proven, recall=recall, events=events, seed=seed)
        ending = await episode(job)
        if ending.verdict is not None and ending.verdict.passed:
            break
    return ending


async def prove_patch(problem: Problem, sandbox: Sandbox, harness: Harness, events: Events, patch: Patch) -> Verdict:
    """The verdict on a patch; a patch that does not apply is refused, a machine that failed raises."""
    try:
        verdict = await prove(
            sandbox,
            problem.snapshot,
            problem.before,
            problem.target,
            patch,
            reruns=harness.reruns,
            guard=harness.guard_policy,
            on_stage=lambda stage: events(Progress(problem=problem.id, phase=f"proving: {stage}")),
        )
    except PatchError as error:
        return Verdict(passed=False, reason=str(error))
    if verdict.infrastructure:
        raise InfrastructureError(verdict.reason)
    return verdict
