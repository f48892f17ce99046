"""One episode of a pipeline, within its own seconds and with what the privacy settings hold back left out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from suture_agent.episodes import Ending, Job, episode_of
from suture_agent.pipelines import Work
from suture_agent.privacy import shown
from suture_agent.problem import Problem
from suture_agent.recall import PastFix
from suture_agent.timing import within
from suture_sandbox.patch import Patch
from suture_sandbox.verdict import Verdict


async def run_episode(
    work: Work, problem: Problem, prove: Callable[[Patch], Awaitable[Verdict]], *, seed: int = 0, candidate: PastFix | None = None
) -> Ending:
    """Run one on `problem`, of which the proposals go to `prove`; an ending without a patch where its seconds are spent."""
    harness = work.harness
    work.meter.begin()
    job = Job(
        problem=shown(problem, harness.excluded or ()),
        capability=work.capability,
        meter=work.meter,
        prove=prove,
        recall=work.recall,
        events=work.events,
        seed=seed,
        candidate=candidate,
    )
    spent = Ending(reason=f"the episode's {harness.budgets.episode_seconds} s are spent")
    return await within(harness.budgets.episode_seconds, episode_of(harness.preset)(job)) or spent
