"""Verifying a candidate: it becomes a task only after the sandbox has shown all that a task promises.

1. The check that is to notice fails on the broken text, in a cold run of the whole check. Before that the tests that run what was changed
   are asked, warm where that can be: most candidates end here.
2. What fails is cut into problems as `suture fix` would cut it, and the largest is the target. What failed in the healthy text, and tests
   that flip on it, are in none.
3. The target fails in each of `runs` fresh attempts.
4. A patch that changes a comment does not pass the verdict.
5. The mend passes the verdict (`prove_patch`, the same that an episode's patch goes through) with as many reruns, other circumstances and
   a run without the patch included.

A machine that fails raises InfrastructureError, and nothing is said about the candidate.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Sequence

import msgspec

from suture_agent.harness import PRESETS, Harness
from suture_agent.problem import problems_in
from suture_agent.repair import prove_patch
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.errors import InfrastructureError
from suture_sandbox.findings import Finding
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.sandbox import Sandbox, together
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Target, names_of, remaining
from suture_training.rollout import Site, unheard
from suture_training.tasks.candidate import Candidate, Dropped, Why
from suture_training.tasks.coverage import Coverage
from suture_training.tasks.task import Difficulty, Proof, Task, contents, task_id

PATIENCE_SECONDS, PATIENCE_FACTOR = 30, 6
"""A check on a broken text is given this many seconds plus this often the time that it took on the healthy one. More than a proof gives: a
machine that is busy for a moment must not decide what a set holds."""
_COMMENT = "# nothing is mended here\n"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a task has to show."""

    runs: int = 3
    below: int = 0
    """Seconds that the failing check may take on the broken text; 0 for any."""
    controls: int = 1
    """Runs without the patch that a proof of the mend holds."""
    shaken: int = 1
    """Runs of it under other circumstances."""

    @property
    def harness(self) -> Harness:
        """What decides how the mend is proven; no policy is asked."""
        return msgspec.structs.replace(PRESETS["agent"], reruns=self.runs, controls=self.controls, shaken=self.shaken)


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """A site, and what is known of its healthy text."""

    site: Site
    workspace: str
    """Its hash."""
    healthy: tuple[CheckResult, ...]
    coverage: Coverage = Coverage({})


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What verifying a task has shown."""

    proof: Proof
    why: Why | None = None
    """Why it is no task; None where it is one."""
    detail: str = ""


async def verified(candidate: Candidate, ground: Ground, rules: Rules) -> Task:
    """The task that a candidate is. Raises Dropped, or InfrastructureError."""
    site = ground.site
    broken = site.healthy.with_edits(contents(candidate.broken))
    patch = patch_between(broken, contents(candidate.gold))
    if not patch.edits:
        raise Dropped("unusable", "the broken text is the healthy one")
    await _screen(candidate, ground, broken)
    results = await _results(candidate, ground, broken)
    whole, target, failing = _chosen(candidate, ground, broken, results)
    if rules.below and whole.seconds >= rules.below:
        raise Dropped("slow", f"{whole.check} takes {whole.seconds:.0f} s")
    added, removed = patch.counts
    draft = Task(
        id=task_id(ground.workspace, candidate.broken, target.check),
        workspace=ground.workspace,
        broken=candidate.broken,
        gold=candidate.gold,
        check=target.check,
        findings=target.findings,
        results=results,
        environment=site.sandbox.environment.identity,
        origin=candidate.origin,
        difficulty=Difficulty(
            lines=added + removed,
            hunks=sum(line.startswith("@@ ") for line in patch.diff().splitlines()),
            files=len(patch.edits),
            failing=failing,
            passing=sum(test.good for test in whole.tests),
        ),
        proof=Proof(runs=rules.runs, failed=0, mended=0, unchanged=0, seconds=whole.seconds),
    )
    shown = await show(draft, site, rules, whole)
    if shown.why is not None:
        raise Dropped(shown.why, shown.detail)
    return msgspec.structs.replace(draft, proof=shown.proof)


async def verify_again(task: Task, site: Site, rules: Rules) -> Shown:
    """Verify a task of a set anew. Raises InfrastructureError."""
    check = site.sandbox.check_named(task.check)
    return await show(task, site, rules, await site.sandbox.check(check, task.snapshot(site.healthy)))


async def show(task: Task, site: Site, rules: Rules, first: CheckResult) -> Shown:
    """Steps 3 to 5; `first` is a cold run of the whole check on the broken text, and counts as one of the runs.

    Raises InfrastructureError.
    """
    problem = site.problem(task)
    runs = (
        [first, *await _again(site.sandbox, problem.snapshot, problem.target, rules.runs - 1)] if _shows(problem.target, first) else [first]
    )
    failed = sum(_shows(problem.target, run) for run in runs)
    whole = [run.seconds for run in runs if not run.warm and len(run.tests) >= len(first.tests)]
    proof = Proof(runs=rules.runs, failed=failed, mended=0, unchanged=0, seconds=round(statistics.median(whole), 3))
    if failed < rules.runs:
        return Shown(proof=proof, why="flaky", detail=f"the failure shows in {failed} of {len(runs)} runs")
    useless = await prove_patch(problem, site.sandbox, rules.harness, unheard, _useless(task, problem.snapshot))
    if useless.passed:
        return Shown(proof=msgspec.structs.replace(proof, unchanged=1), why="unchanged", detail="a comment passes")
    gold = patch_between(problem.snapshot, contents(task.gold))
    verdict = await prove_patch(problem, site.sandbox, rules.harness, unheard, gold)
    if verdict.guard:
        return Shown(proof=proof, why="guard", detail=verdict.guard[0].rule)
    if verdict.deciding is not None and verdict.deciding.status == "timeout":  # the mend is the healthy text, which did end
        raise InfrastructureError(f"the machine is too busy: {verdict.reason}")
    if not verdict.passed:
        return Shown(proof=proof, why="flaky" if verdict.flaky else "unmended", detail=verdict.reason)
    if doubted := sorted(set(names_of(problem.target)) - set(verdict.fixed)):
        return Shown(proof=proof, why="flaky", detail=f"{doubted[0]} passes without the mend too")
    return Shown(proof=msgspec.structs.replace(proof, mended=verdict.reruns))


async def _screen(candidate: Candidate, ground: Ground, broken: Snapshot) -> None:
    """Ask the tests that run what was changed. Raises Dropped where none of them fails."""
    sandbox = ground.site.sandbox
    healthy = {result.check: result for result in ground.healthy}
    patch = patch_between(ground.site.healthy, contents(candidate.broken))
    if candidate.kind != "tests" or not ground.coverage:
        return
    asked = 0
    for check in _checks(sandbox, candidate):
        tests = ground.coverage.tests(check.name, patch)
        if tests is None:
            return
        if tests:
            result = await _run(sandbox, check, broken, healthy.get(check.name), tests=tests)
            if result.status == "timeout":
                raise Dropped("timeout", f"{check.name} did not end")
            if not result.passed:
                return
            asked += len(tests)
    raise Dropped("survived", f"{asked} tests run it") if asked else Dropped("uncovered", "no test runs it")


async def _results(candidate: Candidate, ground: Ground, broken: Snapshot) -> tuple[CheckResult, ...]:
    """All checks on the broken text, those first that are to notice. Raises Dropped where none of them does."""
    sandbox = ground.site.sandbox
    healthy = {result.check: result for result in ground.healthy}
    first = _checks(sandbox, candidate)
    results = list(await together(_run(sandbox, check, broken, healthy.get(check.name)) for check in first))
    if not any(_fresh(result, healthy.get(result.check), ground.site) for result in results):
        hung = next((result for result in results if result.status == "timeout"), None)
        raise Dropped("timeout", f"{hung.check} did not end") if hung is not None else Dropped("survived", "no check fails")
    rest = [check for check in sandbox.environment.checks if check not in first]
    results += await together(_run(sandbox, check, broken, healthy.get(check.name)) for check in rest)
    order = {check.name: number for number, check in enumerate(sandbox.environment.checks)}
    return tuple(sorted(results, key=lambda result: order[result.check]))


def _chosen(candidate: Candidate, ground: Ground, broken: Snapshot, results: Sequence[CheckResult]) -> tuple[CheckResult, Target, int]:
    """The failing check, the largest of its problems, and how many findings it has in all. Raises Dropped."""
    sandbox = ground.site.sandbox
    healthy = {result.check: result for result in ground.healthy}
    fresh = {result.check: _fresh(result, healthy.get(result.check), ground.site) for result in results}
    ranked = sorted(
        (result for result in results if fresh[result.check]),
        key=lambda result: _rank(sandbox.check_named(result.check), candidate),
    )
    whole = ranked[0]
    if whole.status in ("timeout", "killed", "silent"):
        raise Dropped("timeout" if whole.status == "timeout" else "crashed", f"{whole.check}: {whole.reason}")
    if whole.status == "crashed" and not any(finding.path for finding in fresh[whole.check]):
        raise Dropped("crashed", f"{whole.check}: {whole.reason}")
    problems = problems_in(broken, [msgspec.structs.replace(whole, findings=fresh[whole.check])])
    if not problems:
        raise Dropped("crashed", f"{whole.check} names no error")
    largest = max(problems, key=lambda problem: len(problem.findings))
    return whole, largest.target, len(fresh[whole.check])


def _checks(sandbox: Sandbox, candidate: Candidate) -> list[Check]:
    """The checks that are to notice."""
    return [check for check in sandbox.environment.checks if candidate.kind in (None, check.kind)]


def _rank(check: Check, candidate: Candidate) -> int:
    order = ("tests", "types", "lint", "build")
    return -1 if check.kind == candidate.kind else order.index(check.kind)


async def _run(sandbox: Sandbox, check: Check, broken: Snapshot, healthy: CheckResult | None, *, tests: Sequence[str] = ()) -> CheckResult:
    """One run; a whole check runs cold, single tests may run warm. Raises InfrastructureError."""
    seconds = None if healthy is None else PATIENCE_SECONDS + math.ceil(PATIENCE_FACTOR * healthy.seconds)
    warm = bool(tests) and not sandbox.trust.is_doubted(check.name)
    result = await sandbox.check(check, broken, select=tests, seconds=seconds, warm=warm)
    if result.status == "infrastructure":
        raise InfrastructureError(f"{check.name}: {result.reason}")
    return result


def _fresh(result: CheckResult, healthy: CheckResult | None, site: Site) -> tuple[Finding, ...]:
    """The findings that the healthy text does not have, those of tests left out that decide nothing."""
    before = healthy.findings if healthy is not None else ()
    known = Counter(finding.signature for finding in before)
    doubted = {*site.flaky.get(result.check, ()), *(finding.test for finding in before)} - {""}
    shifting = site.shifting.get(result.check, ())
    found: list[Finding] = []
    for finding in result.findings if not result.passed else ():
        known[finding.signature] -= 1
        steady = finding.test not in doubted and finding.test.partition("[")[0] not in shifting
        if finding.severity == "error" and known[finding.signature] < 0 and steady:
            found.append(finding)
    return tuple(found)


async def _again(sandbox: Sandbox, broken: Snapshot, target: Target, times: int) -> list[CheckResult]:
    """The target so many times more, until it does not show: its tests alone, warm where that can be.

    Where they pass alone they depend on the other tests, and the whole check runs every time. Raises InfrastructureError.
    """
    check = sandbox.check_named(target.check)
    tests = target.tests if check.selectable else ()
    runs: list[CheckResult] = []
    while len(runs) < times and (not runs or _shows(target, runs[-1])):
        result = await _run(sandbox, check, broken, None, tests=tests)
        if tests and not runs and not _shows(target, result):
            tests = ()
            continue
        runs.append(result)
    return runs


def _shows(target: Target, result: CheckResult) -> bool:
    """Whether every failure of the target is there."""
    return len(remaining(target, result)) == len(names_of(target))


def _useless(task: Task, broken: Snapshot) -> Patch:
    """A patch that mends nothing, in a file that the mend changes where that is one for Python."""
    for edit in task.gold:
        text = broken.read_text(edit.path)
        if text is not None and edit.path.endswith(".py"):
            added = text if not text or text.endswith("\n") else f"{text}\n"
            return patch_between(broken, {edit.path: f"{added}{_COMMENT}".encode()})
    return Patch()
