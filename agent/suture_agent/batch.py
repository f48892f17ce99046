"""Headless repair of a workspace: check, reproduce, repair problem by problem, write or apply what is proven.

Problems are worked on one after the other, or `jobs` of them side by side; fixes are taken one after the other, each proven on the snapshot
that holds those before it (`front`), so that the written patches apply in order and what was proven stays proven. Everything that is
finished is in the journal before it is told; an interrupted run keeps it, and `resume` proves it again instead of asking the policy again.
"""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from suture_agent.errors import PolicyError
from suture_agent.events import Events, ProblemDropped, ProblemFound, Progress, RepairDone, VerdictReached
from suture_agent.front import Front
from suture_agent.harness import Harness, harness_for
from suture_agent.impact.maps import Maps
from suture_agent.outcome import told, written
from suture_agent.pipelines.judge import Judge, started
from suture_agent.policies import Policy, PolicyIdentity
from suture_agent.problem import Problem, problems_in
from suture_agent.recall import Recall, no_recall
from suture_agent.record import Recorder
from suture_agent.recorded import recorded
from suture_agent.repair import Repair, prove_patch, repair
from suture_agent.reproduce import Dropped, reproduce
from suture_sandbox.checks import CheckResult
from suture_sandbox.errors import InfrastructureError
from suture_sandbox.patch import Patch
from suture_sandbox.sandbox import Sandbox, together
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Verdict

MENDED = "an earlier fix mended it too"


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to do."""

    checks: tuple[str, ...] = ()
    """Names of the checks whose problems are repaired; all where empty. The others still guard against breakage."""
    paths: tuple[str, ...] = ()
    """Globs; only problems with a finding in a matching file are repaired."""
    reproduced: int = 2
    """How often a failure must show before it is worked on, the run that found it included."""
    apply: bool = False
    resume: bool = False
    jobs: int = 1
    """Problems in work at once; more pays where the policy answers several requests side by side."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did."""

    problems: int = 0
    fixed: int = 0
    unfixed: int = 0
    infrastructure: int = 0
    dropped: int = 0
    """Failures that passed unchanged when they were run again, so that nobody worked on them."""
    flaky: int = 0
    """Failures of nothing but tests that are known to be flaky."""
    repairs: tuple[Repair, ...] = ()
    results: tuple[CheckResult, ...] = ()
    """The checks on the workspace as it was found."""
    policy: str = ""
    adapter: str = ""
    """Digest of the adapter that the policy answered with; empty without one."""
    harness: str = ""
    """Identity of the harness; empty when there was nothing to repair."""
    seconds: float = 0.0


HarnessFor = Callable[[Policy, PolicyIdentity], Harness]


def default_harness(policy: Policy, identity: PolicyIdentity) -> Harness:
    """The preset that fits the policy."""
    return harness_for(policy.capability, template=identity.template)


async def fix_workspace(
    snapshot: Snapshot,
    sandbox: Sandbox,
    policy: Policy,
    recorder: Recorder,
    events: Events,
    options: Options,
    *,
    harness_of: HarnessFor = default_harness,
    recall: Recall = no_recall,
    judge: Judge | None = None,
) -> Summary:
    """Repair what fails in a workspace. Failures of the machine end up in the summary, not in an exception, once work has begun."""
    started = time.monotonic()
    events(Progress(phase="running the checks"))
    results = await sandbox.check_all(snapshot, memo=True)
    known = await recorder.known_flaky(snapshot, results)
    queue = _wanted(problems_in(snapshot, results, only=options.checks, flaky=known), options)
    summary = Summary(results=results, infrastructure=sum(result.status == "infrastructure" for result in results))
    if queue:
        run = Run(sandbox, policy, recorder, events, options, recall, harness_of, judge)
        summary = await run.work(snapshot, queue, summary)
    return msgspec.structs.replace(summary, seconds=time.monotonic() - started)


class Run:
    """One run over the problems of a workspace."""

    def __init__(
        self,
        sandbox: Sandbox,
        policy: Policy,
        recorder: Recorder,
        events: Events,
        options: Options,
        recall: Recall,
        harness_of: HarnessFor,
        judge: Judge | None = None,
    ) -> None:
        self._sandbox = sandbox
        self._policy = policy
        self._recorder = recorder
        self._events = events
        self._options = options
        self._recall = recall
        self._harness_of = harness_of
        self._judge = judge
        self._repairs: list[Repair] = []
        self._dropped: Counter[Dropped] = Counter()
        self._maps = Maps(sandbox, recorder)
        self._identity = PolicyIdentity(name="")
        self._harness: Harness | None = None
        self._silent = False
        """Whether the policy did not start: every problem would end alike."""

    async def work(self, snapshot: Snapshot, queue: Sequence[Problem], summary: Summary) -> Summary:
        """Repair the problems in order; what an earlier fix mended too is dropped."""
        self._events(Progress(phase="starting the policy"))
        starting = asyncio.create_task(started(self._policy, self._harness_of, self._judge))
        warming = asyncio.create_task(self._sandbox.warm_up(snapshot))
        await self._maps.load(summary.results)
        mapping = asyncio.create_task(self._maps.keep_up(snapshot, summary.results))
        front = Front(snapshot, queue, self._proven, self._left, self._events)
        try:
            await together(self._one_by_one(front, starting) for _ in range(self._options.jobs))
        finally:
            starting.cancel()
            warming.cancel()
            mapping.cancel()
            await asyncio.gather(starting, warming, mapping, return_exceptions=True)
        return self._summary(summary)

    async def _one_by_one(self, front: Front, starting: asyncio.Task[tuple[PolicyIdentity, Harness]]) -> None:
        """Take problems into work until none is left."""
        while not self._silent and (problem := front.next()) is not None:
            try:
                if not await self._reproduced(problem):
                    continue
                done = await self._begun(problem, starting)
            except (InfrastructureError, PolicyError) as error:
                self._silent |= isinstance(error, PolicyError)
                self._lost(problem, error)
                continue
            await self._landed(done, front)

    async def _begun(self, problem: Problem, starting: asyncio.Task[tuple[PolicyIdentity, Harness]]) -> Repair:
        """Repair a problem that was told of; where the run ends before it does, that is told too."""
        try:
            self._identity, self._harness = await starting
            return await self._one(problem, self._identity, self._harness)
        except asyncio.CancelledError:
            self._events(RepairDone(problem=problem.id, outcome="cancelled"))
            raise

    async def _landed(self, done: Repair, front: Front) -> None:
        """Take a repair on top of those before it: write it, tell it, and go on from there."""
        async with contextlib.AsyncExitStack() as turn:
            try:
                await turn.enter_async_context(front.lock)
                there = await front.on_top(done)
            except asyncio.CancelledError:
                self._events(RepairDone(problem=done.problem.id, outcome="cancelled"))
                raise
            if there is None:
                if not front.still_fails(done.problem):
                    await self._drop(done.problem, "mended", MENDED)
                return
            number = 1 + sum(each.outcome == "fixed" for each in self._repairs)
            ended, path = await asyncio.to_thread(written, there, number, apply_=self._options.apply)
            self._repairs.append(ended)
            self._events(told(ended, path))
            if ended.outcome == "fixed":
                for problem in await front.take(ended):
                    await self._drop(problem, "mended", MENDED)

    async def _proven(self, problem: Problem, patch: Patch) -> Verdict:
        """For fixes that were proven on an older text."""
        assert self._harness is not None
        verdict = await prove_patch(problem, self._sandbox, self._harness, self._events, patch, impact=self._maps.impact)
        await self._recorder.flaky(problem.snapshot, verdict.unsteady)
        return verdict

    async def _left(self, snapshot: Snapshot, results: Sequence[CheckResult]) -> list[Problem]:
        known = await self._recorder.known_flaky(snapshot, results)
        return _wanted(problems_in(snapshot, results, only=self._options.checks, flaky=known), self._options)

    def _lost(self, problem: Problem, error: PolicyError | InfrastructureError) -> None:
        """The failure cannot be reproduced, or the policy not be started: nothing was tried, so there is no episode to record."""
        reason = f"{error}; try: {error.remedy}" if error.remedy else str(error)
        done = Repair(problem=problem, outcome="infrastructure", reason=reason)
        self._repairs.append(done)
        self._events(told(done, ""))

    async def _drop(self, problem: Problem, why: Dropped, reason: str) -> None:
        """Count it, here and in the journal, and tell it."""
        self._dropped[why] += 1
        await self._recorder.dropped(problem, why)
        self._events(ProblemDropped(id=problem.id, check=problem.check, reason=reason))

    async def _reproduced(self, problem: Problem) -> bool:
        self._events(Progress(problem=problem.id, phase="reproducing the failure"))
        found = await reproduce(problem, self._sandbox, self._options.reproduced)
        if not found.dropped:
            self._events(ProblemFound(id=problem.id, check=problem.check, findings=problem.findings))
            return True
        await self._recorder.flaky(problem.snapshot, found.flaky)
        await self._drop(problem, found.dropped, found.reason)
        return False

    async def _one(self, problem: Problem, identity: PolicyIdentity, harness: Harness) -> Repair:
        """Repair one problem, and put it into the journal."""

        async def work() -> Repair:
            resume = self._options.resume and self._judge is None  # what was proven before, no judge may have seen
            resumed = await self._resumed(problem, harness) if resume else None
            return resumed or await repair(
                problem,
                self._policy,
                self._sandbox,
                harness,
                self._events,
                recall=self._recall,
                impact=self._maps.impact,
                judge=self._judge,
            )

        done, _ = await recorded(problem, identity, harness, self._recorder, work)
        return done

    async def _resumed(self, problem: Problem, harness: Harness) -> Repair | None:
        """A patch that an earlier run proved for the same failure of the same text, proven again; None where there is none."""
        for patch in await self._recorder.proven(problem):
            started = time.monotonic()
            try:
                verdict = await prove_patch(problem, self._sandbox, harness, self._events, patch, impact=self._maps.impact)
            except InfrastructureError as error:
                return Repair(problem=problem, outcome="infrastructure", reason=str(error), seconds=time.monotonic() - started)
            if verdict.passed:
                self._events(VerdictReached(problem=problem.id, verdict=verdict))
                spent = time.monotonic() - started
                return Repair(problem=problem, outcome="fixed", reason="resumed", patch=patch, verdict=verdict, seconds=spent)
        return None

    def _summary(self, summary: Summary) -> Summary:
        count = {outcome: sum(done.outcome == outcome for done in self._repairs) for outcome in ("fixed", "unfixed", "infrastructure")}
        return msgspec.structs.replace(
            summary,
            problems=len(self._repairs),
            fixed=count["fixed"],
            unfixed=count["unfixed"],
            infrastructure=summary.infrastructure + count["infrastructure"],
            dropped=self._dropped["passed"],
            flaky=self._dropped["flaky"],
            repairs=tuple(self._repairs),
            policy=self._identity.name,
            adapter=self._identity.adapter,
            harness=self._harness.identity if self._harness else "",
        )


def _wanted(problems: Sequence[Problem], options: Options) -> list[Problem]:
    if not options.paths:
        return list(problems)
    return [
        problem
        for problem in problems
        if any(fnmatch.fnmatch(finding.path, glob) for finding in problem.findings for glob in options.paths)
    ]
