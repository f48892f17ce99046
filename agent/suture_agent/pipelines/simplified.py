"""The pipeline `simplified`: one episode from a fixed start. No outer loop: what is not proven at its end has failed."""

from __future__ import annotations

from suture_agent.episodes import Ending, Job, episode_of
from suture_agent.pipelines import Work
from suture_agent.pipelines.candidates import candidates_for
from suture_agent.privacy import shown
from suture_agent.timing import within


async def simplified(work: Work) -> Ending:
    """Run the episode, with the cached start's candidate where the harness shows one."""
    harness = work.harness
    fixes = await candidates_for(work, work.problem.findings, work.problem.snapshot, most=1)
    work.meter.begin()
    job = Job(
        problem=shown(work.problem, harness.excluded or ()),
        capability=work.capability,
        meter=work.meter,
        prove=work.prove,
        recall=work.recall,
        events=work.events,
        candidate=fixes[0] if fixes else None,
    )
    return await within(harness.budgets.episode_seconds, episode_of(harness.preset)(job)) or Ending(
        reason=f"the episode's {harness.budgets.episode_seconds} s are spent"
    )
