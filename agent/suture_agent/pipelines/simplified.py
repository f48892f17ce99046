"""The pipeline `simplified`: one episode from a fixed start. No outer loop: what is not proven at its end has failed."""

from __future__ import annotations

from suture_agent.episodes import Ending
from suture_agent.pipelines import Work
from suture_agent.pipelines.candidates import candidates_for
from suture_agent.pipelines.episode import run_episode


async def simplified(work: Work) -> Ending:
    """Run the episode, with the cached start's candidate where the harness shows one."""
    fixes = await candidates_for(work, work.problem.findings, work.problem.snapshot, most=1)
    return await run_episode(work, work.problem, work.prove, candidate=fixes[0] if fixes else None)
