"""The verdict: proving a patch in fresh attempts (DESIGN, invariant 2).

A patch is proven when the guard is silent, the target (the problem's own failing tests or findings) is gone, nothing that passed before
fails now, and all that holds in k runs, each in a fresh attempt on a snapshot in which tests, checks and configuration are the originals.
The cheapest deciding run goes first. A test that flips between runs is flaky: it is listed, and neither makes nor breaks a verdict alone.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import msgspec

from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.guard import GuardContext, GuardFinding, GuardPolicy, inspect, protected_paths
from suture_sandbox.patch import Patch
from suture_sandbox.sandbox import Sandbox, together
from suture_sandbox.snapshot import Snapshot

PATIENCE_SECONDS, PATIENCE_FACTOR = 10, 4
"""A proof waits for a check this many seconds plus this often the time that the check took before: a patch that hangs must not cost the
check's whole time-out at every run."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a patch must mend: the part of one check's failures that one problem is about."""

    check: str
    findings: tuple[Finding, ...]

    @property
    def tests(self) -> tuple[str, ...]:
        """Node ids of the failing tests, in order, each once; empty for a check without tests."""
        return tuple(dict.fromkeys(finding.test for finding in self.findings if finding.test))


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of proving a patch."""

    passed: bool
    reason: str = ""
    """Why it did not pass, in one line."""
    reruns: int = 0
    """How often the failing check was run on the patched snapshot, each time in a fresh attempt."""
    fixed: tuple[str, ...] = ()
    """Failures of the target that are gone: `check::test` or `check::path: message`."""
    broken: tuple[str, ...] = ()
    """What passed before and does not now."""
    flaky: tuple[str, ...] = ()
    """Tests that flipped between runs of the same text."""
    guard: tuple[GuardFinding, ...] = ()
    infrastructure: bool = False
    """Whether the machine failed, so that nothing is said about the patch."""
    seconds: float = 0.0
    after: tuple[CheckResult, ...] = ()
    """Results of all checks on the patched snapshot; empty unless every stage was reached."""
    deciding: CheckResult | None = None
    """The run that decided against the patch, where one did: what a policy is shown next."""


async def prove(
    sandbox: Sandbox,
    snapshot: Snapshot,
    before: Sequence[CheckResult],
    target: Target,
    patch: Patch,
    *,
    reruns: int = 3,
    guard: GuardPolicy | None = None,
    on_stage: Callable[[str], None] = lambda _stage: None,
) -> Verdict:
    """Prove `patch` against `snapshot`, on which the checks gave `before`. Raises PatchError when the patch does not apply."""
    started = time.monotonic()
    policy = guard or GuardPolicy()
    context = GuardContext(checks=sandbox.environment.checks, findings=target.findings)
    refused = inspect(patch, snapshot, context, policy)
    if refused:
        return Verdict(passed=False, reason=f"the guard refuses it: {refused[0].message}", guard=refused)
    originals = patch.without(protected_paths(patch, policy))
    patched = originals.apply(snapshot)
    if not originals.edits:
        return Verdict(passed=False, reason="it changes nothing")
    verdict = await _run_stages(sandbox, patched, before, target, max(1, reruns), on_stage)
    return msgspec.structs.replace(verdict, seconds=time.monotonic() - started)


async def _run_stages(
    sandbox: Sandbox, patched: Snapshot, before: Sequence[CheckResult], target: Target, reruns: int, on_stage: Callable[[str], None]
) -> Verdict:
    check = sandbox.check_named(target.check)
    old = {result.check: result for result in before}
    if check.selectable and target.tests:
        on_stage(f"{check.name}: {len(target.tests)} failing")
        first = await sandbox.check(check, patched, select=target.tests, seconds=_patience(old.get(check.name)))
        left = remaining(target, first)
        if first.status == "infrastructure" or left:
            return _refusal(first, left, reruns=0)
    on_stage(f"{check.name}: all")
    whole = await sandbox.check(check, patched, seconds=_patience(old.get(check.name)))
    refusal = _judge_whole(target, old.get(check.name), whole)
    if refusal is not None:
        return refusal
    on_stage("other checks")
    others = await sandbox.check_all(patched, [other for other in sandbox.environment.checks if other.name != check.name])
    lost = [result for result in others if result.status == "infrastructure"]
    if lost:
        return _refusal(lost[0], (), reruns=1)
    broken = tuple(name for result in others for name in breakage(old.get(result.check), result))
    if broken:
        worst = next(result for result in others if breakage(old.get(result.check), result))
        return Verdict(passed=False, reason=f"it breaks {_few(broken)}", broken=broken, reruns=1, deciding=worst)
    on_stage(f"{check.name}: {reruns - 1} reruns")
    return await _rerun(sandbox, check, patched, old.get(check.name), target, whole, others, reruns)


async def _rerun(
    sandbox: Sandbox,
    check: Check,
    patched: Snapshot,
    before: CheckResult | None,
    target: Target,
    whole: CheckResult,
    others: tuple[CheckResult, ...],
    reruns: int,
) -> Verdict:
    """Run the failing check again until it has run `reruns` times, and take all runs together."""
    runs = [whole, *await together(sandbox.check(check, patched, seconds=_patience(before)) for _ in range(reruns - 1))]
    lost = next((run for run in runs if run.status == "infrastructure"), None)
    if lost is not None:
        return _refusal(lost, (), reruns=len(runs))
    left = {name for run in runs for name in remaining(target, run)}
    broken_in = [set(breakage(before, run)) for run in runs]
    always = set[str].intersection(*broken_in)
    flaky = tuple(sorted(set[str].union(*broken_in) - always | _flipping(runs)))
    if left:
        return Verdict(passed=False, reason=f"{_few(left)} does not pass every time", flaky=flaky, reruns=len(runs))
    if always:
        return Verdict(
            passed=False, reason=f"it breaks {_few(always)}", broken=tuple(sorted(always)), flaky=flaky, reruns=len(runs), deciding=whole
        )
    ordered = {result.check: result for result in (whole, *others)}
    after = tuple(ordered[each.name] for each in sandbox.environment.checks if each.name in ordered)
    return Verdict(passed=True, reruns=len(runs), fixed=tuple(names_of(target)), flaky=flaky, after=after)


def _judge_whole(target: Target, before: CheckResult | None, whole: CheckResult) -> Verdict | None:
    """Refuse a patch after the first whole run of the failing check, unless a breakage might be a flaky test that reruns will tell."""
    left = remaining(target, whole)
    if whole.status == "infrastructure" or left:
        return _refusal(whole, left, reruns=1)
    broken = breakage(before, whole)
    if broken and not all(_is_test(name, whole) for name in broken):
        return Verdict(passed=False, reason=f"it breaks {_few(broken)}", broken=broken, reruns=1, deciding=whole)
    return None


def remaining(target: Target, result: CheckResult) -> tuple[str, ...]:
    """Names of the target's failures that the result still shows; a test that did not run counts as still failing."""
    if target.tests:
        outcomes = {outcome.id: outcome for outcome in result.tests}
        return tuple(test for test in target.tests if test not in outcomes or outcomes[test].outcome not in ("passed", "xfailed"))
    if result.status not in ("passed", "failed"):
        return tuple(names_of(target))
    present = {finding.signature for finding in result.findings}
    return tuple(name for name, finding in zip(names_of(target), target.findings, strict=True) if finding.signature in present)


def breakage(before: CheckResult | None, after: CheckResult) -> tuple[str, ...]:
    """Names of what `after` shows as failing and `before` did not: tests that passed, findings that are new, a check that broke down.

    A test that could not even be collected before and fails now counts too: who mends an import must leave a module whose tests pass.
    """
    if before is None:
        return tuple(finding.message for finding in after.findings if finding.severity == "error")
    if after.status not in ("passed", "failed") and before.status in ("passed", "failed"):
        return (f"{after.check} ({after.status}: {after.reason})",)
    outcomes = {outcome.id: outcome for outcome in after.tests}
    tests = [test.id for test in before.tests if test.good and not (test.id in outcomes and outcomes[test.id].good)]
    known = Counter(finding.signature for finding in before.findings)
    fresh: list[str] = []
    for finding in after.findings:
        known[finding.signature] -= 1
        if known[finding.signature] < 0 and finding.severity == "error" and finding.test not in tests:
            fresh.append(_name(finding))
    return (*tests, *fresh)


def names_of(target: Target) -> list[str]:
    """One name per failure of the target."""
    return [f"{target.check}::{test}" for test in target.tests] or [_name(finding) for finding in target.findings]


def _patience(before: CheckResult | None) -> int | None:
    """Seconds to wait for a check in a proof; None, the check's own time-out, where it did not end by itself before."""
    if before is None or before.status not in ("passed", "failed"):
        return None
    return PATIENCE_SECONDS + math.ceil(PATIENCE_FACTOR * before.seconds)


def _name(finding: Finding) -> str:
    return (
        finding.test
        or f"{finding.path}:{finding.range.start.line + 1}: {finding.message.splitlines()[0] if finding.message else finding.code}"
    )


def _is_test(name: str, result: CheckResult) -> bool:
    return any(outcome.id == name for outcome in result.tests)


def _flipping(runs: Sequence[CheckResult]) -> set[str]:
    good: dict[str, set[bool]] = {}
    for run in runs:
        for outcome in run.tests:
            good.setdefault(outcome.id, set()).add(outcome.good)
    return {name for name, seen in good.items() if len(seen) > 1}


def _refusal(result: CheckResult, left: Iterable[str], *, reruns: int) -> Verdict:
    if result.status == "infrastructure":
        return Verdict(passed=False, infrastructure=True, reason=f"{result.check}: {result.reason}", reruns=reruns, deciding=result)
    ended = f" ({result.status}: {result.reason})" if result.reason else ""
    return Verdict(passed=False, reason=f"still failing: {_few(left)}{ended}", reruns=reruns, deciding=result)


def _few(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (f" and {len(listed) - 3} more" if len(listed) > 3 else "")
