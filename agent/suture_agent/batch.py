"""Headless repair of a workspace: check, reproduce, repair problem by problem, write or apply what is proven.

Problems are worked on one after the other, each on the snapshot that holds the fixes proven before it, so that the written patches apply in
order and what was proven stays proven. Everything that is finished is in the journal before it is told; an interrupted run keeps it, and
`resume` proves it again instead of asking the policy again.
"""

from __future__ import annotations

import asyncio
import fnmatch
import time
from collections.abc import Callable, Sequence

import msgspec

from suture_agent.apply import apply, is_full, write_diff
from suture_agent.errors import PolicyError
from suture_agent.events import Events, Outcome, ProblemDropped, ProblemFound, Progress, RepairDone, VerdictReached
from suture_agent.harness import Harness, harness_for
from suture_agent.policies import Policy, PolicyIdentity
from suture_agent.problem import Problem, problems_in, still_fails
from suture_agent.recall import Recall, no_recall
from suture_agent.record import Recorder
from suture_agent.repair import Repair, prove_patch, repair
from suture_sandbox.checks import CheckResult
from suture_sandbox.errors import InfrastructureError, PatchError
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

MOST_DESCRIPTION = 40


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is to do."""

    checks: tuple[str, ...] = ()
    """Names of the checks whose problems are repaired; all where empty. The others still guard against breakage."""
    paths: tuple[str, ...] = ()
    """Globs; only problems with a finding in a matching file are repaired."""
    apply: bool = False
    resume: bool = False


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run did."""

    problems: int = 0
    fixed: int = 0
    unfixed: int = 0
    infrastructure: int = 0
    repairs: tuple[Repair, ...] = ()
    results: tuple[CheckResult, ...] = ()
    """The checks on the workspace as it was found."""
    policy: str = ""
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
) -> Summary:
    """Repair what fails in a workspace. Failures of the machine end up in the summary, not in an exception, once work has begun."""
    started = time.monotonic()
    events(Progress(phase="running the checks"))
    results = await sandbox.check_all(snapshot)
    queue = _wanted(problems_in(snapshot, results, only=options.checks), options)
    summary = Summary(results=results, infrastructure=sum(result.status == "infrastructure" for result in results))
    if queue:
        run = Run(sandbox, policy, recorder, events, options, recall, harness_of)
        summary = await run.work(snapshot, queue, summary)
    return msgspec.structs.replace(summary, seconds=time.monotonic() - started)


class Run:
    """One run over the problems of a workspace. Holds the snapshot that grows with every proven fix."""

    def __init__(
        self,
        sandbox: Sandbox,
        policy: Policy,
        recorder: Recorder,
        events: Events,
        options: Options,
        recall: Recall,
        harness_of: HarnessFor,
    ) -> None:
        self._sandbox = sandbox
        self._policy = policy
        self._recorder = recorder
        self._events = events
        self._options = options
        self._recall = recall
        self._harness_of = harness_of
        self._repairs: list[Repair] = []

    async def work(self, snapshot: Snapshot, queue: Sequence[Problem], summary: Summary) -> Summary:
        """Repair the problems in order; what an earlier fix mended too is dropped."""
        self._events(Progress(phase="starting the policy"))
        starting = asyncio.create_task(self._policy.start())
        identity, harness = PolicyIdentity(name=""), None
        tried: set[object] = set()
        try:
            while problem := next((each for each in queue if _mark(each) not in tried), None):
                tried.add(_mark(problem))
                try:
                    if not await self._reproduced(problem):
                        continue
                except InfrastructureError as error:
                    self._lost(problem, error)
                    continue
                try:
                    identity = await starting
                except PolicyError as error:
                    self._lost(problem, error)
                    break  # the other problems would end alike
                harness = harness or self._harness_of(self._policy, identity)
                done = await self._one(problem, identity, harness)
                if done.outcome == "fixed" and done.patch is not None and done.verdict is not None:
                    snapshot = snapshot.with_edits({edit.path: edit.after for edit in done.patch.edits})
                    left = _wanted(problems_in(snapshot, done.verdict.after, only=self._options.checks), self._options)
                    self._drop_mended([each for each in queue if _mark(each) not in tried], left)
                    queue = left
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
        return self._summary(summary, identity, harness)

    def _lost(self, problem: Problem, error: PolicyError | InfrastructureError) -> None:
        """The failure cannot be reproduced, or the policy not be started: nothing was tried, so there is no episode to record."""
        reason = f"{error}; try: {error.remedy}" if error.remedy else str(error)
        done = Repair(problem=problem, outcome="infrastructure", reason=reason)
        self._repairs.append(done)
        self._events(_told(done, ""))

    def _drop_mended(self, waiting: Sequence[Problem], left: Sequence[Problem]) -> None:
        failing = {finding.signature for problem in left for finding in problem.findings}
        for problem in waiting:
            if failing.isdisjoint(finding.signature for finding in problem.findings):
                self._events(ProblemDropped(id=problem.id, check=problem.check, reason="an earlier fix mended it too"))

    async def _reproduced(self, problem: Problem) -> bool:
        self._events(Progress(problem=problem.id, phase="reproducing the failure"))
        if await still_fails(problem, self._sandbox):
            self._events(ProblemFound(id=problem.id, check=problem.check, findings=problem.findings))
            return True
        self._events(ProblemDropped(id=problem.id, check=problem.check, reason="it passed unchanged when it was run again: flaky"))
        return False

    async def _one(self, problem: Problem, identity: PolicyIdentity, harness: Harness) -> Repair:
        """Repair one problem and put it into the journal, then write the patch, then tell."""
        await self._recorder.problem(problem)
        try:
            resumed = await self._resumed(problem, harness) if self._options.resume else None
            done = resumed or await repair(problem, self._policy, self._sandbox, harness, self._events, recall=self._recall)
        except asyncio.CancelledError:
            await asyncio.shield(self._recorder.repair(Repair(problem=problem, outcome="cancelled"), identity, harness))
            self._events(RepairDone(problem=problem.id, outcome="cancelled"))
            raise
        await self._recorder.repair(done, identity, harness)
        done, path = await asyncio.to_thread(self._written, done)
        self._repairs.append(done)
        self._events(_told(done, path))
        return done

    async def _resumed(self, problem: Problem, harness: Harness) -> Repair | None:
        """A patch that an earlier run proved for the same failure of the same text, proven again; None where there is none."""
        for patch in await self._recorder.proven(problem):
            started = time.monotonic()
            try:
                verdict = await prove_patch(problem, self._sandbox, harness, self._events, patch)
            except InfrastructureError as error:
                return Repair(problem=problem, outcome="infrastructure", reason=str(error), seconds=time.monotonic() - started)
            if verdict.passed:
                self._events(VerdictReached(problem=problem.id, verdict=verdict))
                spent = time.monotonic() - started
                return Repair(problem=problem, outcome="fixed", reason="resumed", patch=patch, verdict=verdict, seconds=spent)
        return None

    def _written(self, done: Repair) -> tuple[Repair, str]:
        """Write a proven patch, and apply it where that is asked for; what cannot be written is no fix of this workspace."""
        if done.outcome != "fixed" or done.patch is None:
            return done, ""
        root, path = done.problem.snapshot.root, ""
        number = 1 + sum(each.outcome == "fixed" for each in self._repairs)
        try:
            path = write_diff(root, f"{number:02d}-{done.problem.check}-{done.problem.id[:8]}", done.patch)
            if self._options.apply:
                apply(root, done.patch)
        except PatchError as error:
            return msgspec.structs.replace(done, outcome="unfixed", reason=f"proven, but not applied: {error}"), path
        except OSError as error:
            why = f"the disk that holds {root} is full; make room, then: suture fix --resume" if is_full(error) else str(error)
            return msgspec.structs.replace(done, outcome="infrastructure", reason=f"proven, but not written: {why}"), path
        return done, path

    def _summary(self, summary: Summary, identity: PolicyIdentity, harness: Harness | None) -> Summary:
        count = {outcome: sum(done.outcome == outcome for done in self._repairs) for outcome in ("fixed", "unfixed", "infrastructure")}
        return msgspec.structs.replace(
            summary,
            problems=len(self._repairs),
            fixed=count["fixed"],
            unfixed=count["unfixed"],
            infrastructure=summary.infrastructure + count["infrastructure"],
            repairs=tuple(self._repairs),
            policy=identity.name,
            harness=harness.identity if harness else "",
        )


def _wanted(problems: Sequence[Problem], options: Options) -> list[Problem]:
    if not options.paths:
        return list(problems)
    return [
        problem
        for problem in problems
        if any(fnmatch.fnmatch(finding.path, glob) for finding in problem.findings for glob in options.paths)
    ]


def _mark(problem: Problem) -> object:
    """What makes two problems the same while the text around them changes with proven fixes."""
    return problem.check, tuple(sorted(finding.signature for finding in problem.findings))


def _told(done: Repair, path: str) -> RepairDone:
    added, removed = done.patch.counts if done.outcome == "fixed" and done.patch else (0, 0)
    outcome: Outcome = done.outcome
    return RepairDone(
        problem=done.problem.id,
        outcome=outcome,
        patch=path,
        files=done.patch.paths if done.outcome == "fixed" and done.patch else (),
        added=added,
        removed=removed,
        steps=done.usage.steps,
        prompt_tokens=done.usage.prompt_tokens,
        completion_tokens=done.usage.completion_tokens,
        seconds=done.seconds,
        seconds_policy=done.usage.seconds_policy,
        seconds_sandbox=done.usage.seconds_sandbox,
        reason=done.reason,
    )
