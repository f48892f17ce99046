"""`repair`: THE way a repair happens. The language server, `suture fix`, data collection, rollouts and evaluation call it.

What differs between them is a field of the harness, recorded, never a second implementation.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec

from suture_agent.episodes import Ending
from suture_agent.errors import ContextOverflow, Limit, PolicyError, PolicyRefused
from suture_agent.events import Events, Outcome, Progress, VerdictReached
from suture_agent.harness import Harness
from suture_agent.impact import Impact, no_impact
from suture_agent.meter import Meter, Turn, Usage
from suture_agent.pipelines import Course, Trail, Work, pipeline_of
from suture_agent.pipelines.judge import Judge, refused
from suture_agent.pipelines.start import Start
from suture_agent.policies import Policy
from suture_agent.problem import Problem
from suture_agent.recall import HeldOut, Recall, bound, cached, no_recall
from suture_sandbox.errors import ConfigurationError, InfrastructureError, PatchError
from suture_sandbox.flaky.perturb import SHAKEN
from suture_sandbox.flaky.weigh import Book
from suture_sandbox.patch import Patch
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.verdict import Verdict, prove

Failed = Literal["", "policy", "machine"]


class Repair(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a problem."""

    problem: Problem
    outcome: Outcome
    reason: str = ""
    """Why it was not fixed; for a fix, where the patch came from when no policy wrote it."""
    failed: Failed = ""
    """What failed where the outcome is `infrastructure`; `policy` when it does not answer, so that others need not ask it now."""
    limit: Limit | None = None
    """The budget that ended the last episode; training masks some such rollouts."""
    patch: Patch | None = None
    """Proven when the outcome is `fixed`; else the last proposal, for the record only."""
    verdict: Verdict | None = None
    refused: tuple[str, ...] = ()
    """Rules of the guard that refused a proposal on the way, one for each thing they found."""
    turns: tuple[Turn, ...] = ()
    """Every request to the policy with its answers."""
    usage: Usage = Usage()
    seconds: float = 0.0
    course: Course = Course()
    """What the pipeline did: the outer loop's steps, the judge's words, the progress that was kept."""


async def repair(
    problem: Problem,
    policy: Policy,
    sandbox: Sandbox,
    harness: Harness,
    events: Events,
    *,
    recall: Recall = no_recall,
    impact: Impact = no_impact,
    judge: Judge | None = None,
    start: Start | None = None,
    held_out: HeldOut | None = None,
) -> Repair:
    """Repair one problem; `sandbox` holds the environment. Failures of the machine or the policy become the outcome `infrastructure`.

    `impact` tells which tests a patch may break: a hint that makes proofs quicker to refuse. `judge` is asked where the harness names one.
    `start` is the cached start that `problem` was made from: its past fixes are all that is recalled then. `held_out` is never recalled.
    Raises ConfigurationError where these are not what the harness says.

    Cancelling the task ends the policy's request and kills the attempts before CancelledError leaves.
    """
    meter, trail = Meter(problem.id, policy, sandbox, harness, events), Trail()
    work = Work(
        problem=problem,
        capability=policy.capability,
        harness=harness,
        meter=meter,
        prove=_prover(problem, sandbox, harness, events, impact, meter, trail, _named(judge, harness)),
        recall=bound(recall if start is None else cached(start.recalled), harness, held_out),
        events=events,
        trail=trail,
    )
    started = time.monotonic()
    end = await _ended(work)
    if end.ending.verdict is not None:
        events(VerdictReached(problem=problem.id, verdict=end.ending.verdict))
    return Repair(
        problem=problem,
        outcome=end.outcome,
        reason=end.reason,
        failed=end.failed,
        limit=end.ending.limit,
        patch=end.ending.patch,
        verdict=end.ending.verdict,
        refused=tuple(meter.refused),
        turns=tuple(meter.turns),
        usage=meter.usage,
        seconds=time.monotonic() - started,
        course=trail.course,
    )


class _End(msgspec.Struct, frozen=True, kw_only=True):
    """How a pipeline ended, whatever ended it."""

    ending: Ending = Ending()
    outcome: Outcome
    reason: str
    failed: Failed = ""


async def _ended(work: Work) -> _End:
    """Run the pipeline within the budget; what fails of the machine or the policy is an end like any other."""
    seconds = work.harness.budgets.seconds
    budget = asyncio.timeout(seconds)
    try:
        async with budget:
            ending = await pipeline_of(work.harness.pipeline)(work)
    except TimeoutError as error:
        if budget.expired():
            return _End(ending=Ending(limit="seconds"), outcome="unfixed", reason=f"the budget of {seconds} s is spent")
        return _End(outcome="infrastructure", reason=f"timed out: {error}", failed="machine")  # something else ran out of time
    except InfrastructureError as error:
        return _End(outcome="infrastructure", reason=str(error), failed="machine")
    except PolicyError as error:
        answered = isinstance(error, PolicyRefused | ContextOverflow)
        return _End(outcome="infrastructure", reason=str(error), failed="" if answered else "policy")
    fixed = ending.verdict is not None and ending.verdict.passed
    return _End(ending=ending, outcome="fixed" if fixed else "unfixed", reason=ending.reason)


def _named(judge: Judge | None, harness: Harness) -> Judge | None:
    """The judge that the harness names, None where it names none."""
    if harness.judge == "off":
        return None
    if judge is None:
        raise ConfigurationError(f"the harness names a judge ({harness.judge}), and none was given", remedy="hand the judge to repair")
    return judge


def _prover(
    problem: Problem,
    sandbox: Sandbox,
    harness: Harness,
    events: Events,
    impact: Impact,
    meter: Meter,
    trail: Trail,
    judge: Judge | None,
) -> Callable[[Patch], Awaitable[Verdict]]:
    """Proves whole patches of one problem against its own snapshot, and asks the judge about what holds."""
    book = Book()

    async def proven(patch: Patch) -> Verdict:
        started = time.monotonic()
        try:
            verdict = await prove_patch(problem, sandbox, harness, events, patch, book=book, impact=impact)
            meter.refused += [found.rule for found in verdict.guard]
        finally:
            meter.add_sandbox(time.monotonic() - started)
        if judge is None or not verdict.passed:
            return verdict
        events(Progress(problem=problem.id, phase="asking the judge"))
        judgement = await judge.review(meter, problem, patch)
        trail.judged.append(judgement)
        return verdict if judgement.accepted else refused(verdict, judgement)

    return proven


async def prove_patch(
    problem: Problem,
    sandbox: Sandbox,
    harness: Harness,
    events: Events,
    patch: Patch,
    *,
    book: Book | None = None,
    impact: Impact = no_impact,
) -> Verdict:
    """The verdict on a patch; a patch that does not apply is refused, a machine that failed raises. `book`: see `prove`."""
    try:
        verdict = await prove(
            sandbox,
            problem.snapshot,
            problem.before,
            problem.target,
            patch,
            reruns=harness.reruns,
            guard=harness.guard_policy,
            impacted=lambda check, made: impact(check, problem.snapshot, made),
            on_stage=lambda stage: events(Progress(problem=problem.id, phase=f"proving: {stage}")),
            flaky=problem.flaky,
            shaken=SHAKEN[: harness.shaken],
            controls=harness.controls,
            book=book,
        )
    except PatchError as error:
        return Verdict(passed=False, reason=str(error))
    if verdict.infrastructure:
        raise InfrastructureError(verdict.reason)
    return verdict if problem.reproducible else msgspec.structs.replace(verdict, fixed=())
