"""Working on a problem with the journal beside it: batch runs and the language server record in the same order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from suture_agent.harness import Harness
from suture_agent.policies import PolicyIdentity
from suture_agent.problem import Problem
from suture_agent.record import Recorder
from suture_agent.repair import Repair


async def recorded(
    problem: Problem, identity: PolicyIdentity, harness: Harness, recorder: Recorder, work: Callable[[], Awaitable[Repair]]
) -> tuple[Repair, str]:
    """Do the work, with the problem in the journal before it and the episode before this returns, together with the episode's identifier.

    A cancelled episode is recorded too, before CancelledError leaves.
    """
    await recorder.problem(problem)
    try:
        done = await work()
    except asyncio.CancelledError:
        await asyncio.shield(recorder.repair(Repair(problem=problem, outcome="cancelled"), identity, harness))
        raise
    if done.verdict is not None and done.verdict.unsteady:
        await recorder.flaky(problem.snapshot, done.verdict.unsteady)
    return done, await recorder.repair(done, identity, harness)
