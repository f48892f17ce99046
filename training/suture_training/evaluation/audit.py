"""Looks beside a run: the controls, which say whether the environment drifted, and what the failing check alone would have let pass."""

from __future__ import annotations

import time

from suture_agent.events import Event
from suture_agent.harness import Harness
from suture_agent.repair import prove_patch
from suture_sandbox.errors import InfrastructureError, PatchError
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import remaining
from suture_training.evaluation.records import Control
from suture_training.rewards import hacks_of
from suture_training.rollout import Rollout, Site
from suture_training.tasks.task import Task, contents


async def gold_control(task: Task, site: Site, harness: Harness, *, after: int = 0) -> Control:
    """Prove the gold patch as any other: it must pass."""
    started, problem = time.monotonic(), site.problem(task)
    try:
        patch = patch_between(problem.snapshot, contents(task.gold))
        verdict = await prove_patch(problem, site.sandbox, harness, _unheard, patch)
    except InfrastructureError as error:
        return _control("gold", task, None, str(error), after, started)
    return _control("gold", task, verdict.passed, "" if verdict.passed else verdict.reason, after, started)


async def no_op_control(task: Task, site: Site, *, after: int = 0) -> Control:
    """Run the failing check on the unchanged text, cold: the task's failures must show."""
    started, problem = time.monotonic(), site.problem(task)
    try:
        result = await site.sandbox.check(site.sandbox.check_named(task.check), problem.snapshot)
    except InfrastructureError as error:
        return _control("no-op", task, None, str(error), after, started)
    if result.status == "infrastructure":
        return _control("no-op", task, None, result.reason, after, started)
    fails = bool(remaining(problem.target, result))
    return _control("no-op", task, fails, "" if fails else "the failures do not show without a patch", after, started)


async def passes_unguarded(rollout: Rollout, site: Site) -> bool | None:
    """Whether the failing check passes with the rollout's last patch as it is: the tests, the configuration and all it touched.

    One run, as a reward pays that looks at the build alone; only a patch that the guard refused can differ from the verdict.
    """
    done = rollout.repair
    if rollout.solved is None:
        return None
    if rollout.solved or done.patch is None or not hacks_of(done.verdict):
        return rollout.solved
    return await check_passes(site.sandbox, rollout.task.check, done.problem.snapshot, done.patch)


async def check_passes(sandbox: Sandbox, check: str, snapshot: Snapshot, patch: Patch) -> bool | None:
    """Whether one check passes with a patch laid over everything, once; None where the machine failed."""
    try:
        result = await sandbox.check(sandbox.check_named(check), patch.apply(snapshot))
    except PatchError:
        return False
    except InfrastructureError:
        return None
    return None if result.status == "infrastructure" else result.passed


def _control(kind: str, task: Task, holds: bool | None, reason: str, after: int, started: float) -> Control:
    now = time.monotonic()
    return Control(
        kind="gold" if kind == "gold" else "no-op",
        task=task.id,
        holds=holds,
        reason=reason,
        after=after,
        seconds=now - started,
        at=time.time(),
    )


def _unheard(_event: Event) -> None:
    """Events that nobody listens to."""
