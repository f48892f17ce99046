"""Rollouts: episodes on tasks, over the one path. Reinforcement learning, data collection and evaluation all run exactly this."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

import msgspec

from suture_agent.events import Event
from suture_agent.harness import Harness
from suture_agent.policies import Capability, ChatRequest, Completion, OnText, Policy, PolicyIdentity
from suture_agent.problem import Problem
from suture_agent.recall import Recall, no_recall
from suture_agent.repair import Repair, repair
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.flaky.perturb import Perturbation
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Target
from suture_training.errors import TrainingError
from suture_training.tasks.task import Task


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """One healthy workspace of a task set on this machine, ready to run its tasks."""

    healthy: Snapshot
    sandbox: Sandbox
    """Bound to the environment that its tasks were verified in."""
    flaky: Mapping[str, tuple[str, ...]] = {}
    """Check -> tests that were seen to flip on the healthy text; they decide nothing."""
    shifting: Mapping[str, tuple[str, ...]] = {}
    """Check -> test functions whose parameters are named in another way from run to run (over a set, whose order depends on addresses);
    they are left out of what is known of a task's text."""

    def problem(self, task: Task, *, flaky: Mapping[str, tuple[str, ...]] | None = None) -> Problem:
        """The task as the problem that a repair begins with: nothing of it is run again. `flaky` replaces what the site knows."""
        target = Target(check=task.check, findings=task.findings)
        known = self.flaky if flaky is None else flaky
        before = tuple(without_shifting(result, self.shifting.get(result.check, ())) for result in task.results)
        return Problem(id=task.id[:12], snapshot=task.snapshot(self.healthy), target=target, before=before, flaky=known)


def without_shifting(result: CheckResult, functions: Collection[str]) -> CheckResult:
    """A result without the tests of these functions: a name that comes and goes would count as broken whenever it is gone."""
    if not functions:
        return result
    tests = tuple(test for test in result.tests if test.id.partition("[")[0] not in functions)
    return msgspec.structs.replace(result, tests=tests)


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """One episode on one task."""

    task: Task
    seed: int
    """Shifts every seed that the harness asks with, so that repetitions differ under one harness identity."""
    repair: Repair
    environment: str
    harness: str
    policy: PolicyIdentity
    seconds: float

    @property
    def solved(self) -> bool | None:
        """Whether the verdict in fresh attempts passed; None where the machine or the policy failed: nothing is said then."""
        return None if self.repair.outcome in ("infrastructure", "cancelled") else self.repair.outcome == "fixed"


class Seeded:
    """A policy whose every request has its seed shifted."""

    def __init__(self, policy: Policy, shift: int) -> None:
        self._policy = policy
        self._shift = shift

    @property
    def capability(self) -> Capability:
        """The policy's own."""
        return self._policy.capability

    async def start(self) -> PolicyIdentity:
        """The policy's own."""
        return await self._policy.start()

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """Ask with the shifted seed."""
        return await self._policy.complete(msgspec.structs.replace(request, seed=request.seed + self._shift), on_text)

    async def close(self) -> None:
        """The policy is somebody else's."""


class Remembering(Sandbox):
    """A sandbox for training: a check that ran on equal content in this run is not run again.

    Eight episodes on one task bring the same patch again and again. What is offered to a person, and what a policy is measured by, never
    runs in this one.
    """

    @classmethod
    def of(cls, sandbox: Sandbox) -> Remembering:
        """The same sandbox, remembering; it needs a memo."""
        if sandbox.memo is None:
            raise TrainingError("the sandbox keeps no memo", remedy="set sandbox.memo to memory or disk")
        made = cls(sandbox.backend, sandbox.environment, slots=sandbox.slots, priority="training", memo=sandbox.memo)
        made.trust = sandbox.trust
        return made

    async def check(
        self,
        check: Check,
        snapshot: Snapshot,
        *,
        select: Sequence[str] = (),
        seconds: int | None = None,
        warm: bool = False,
        perturbation: Perturbation | None = None,
        memo: bool = False,  # noqa: ARG002  # always
    ) -> CheckResult:
        """As `Sandbox.check`, with what is known of equal content."""
        return await super().check(check, snapshot, select=select, seconds=seconds, warm=warm, perturbation=perturbation, memo=True)


def unheard(_event: Event) -> None:
    """Events that nobody listens to."""


async def roll_out(task: Task, site: Site, policy: Policy, harness: Harness, *, seed: int = 0, recall: Recall = no_recall) -> Rollout:
    """Run one episode. What fails of the machine or the policy is an outcome of the repair, never an exception."""
    identity = await policy.start()
    started = time.monotonic()
    done = await repair(site.problem(task), Seeded(policy, seed), site.sandbox, harness, unheard, recall=recall)
    return Rollout(
        task=task,
        seed=seed,
        repair=done,
        environment=site.sandbox.environment.identity,
        harness=harness.identity,
        policy=identity,
        seconds=time.monotonic() - started,
    )
