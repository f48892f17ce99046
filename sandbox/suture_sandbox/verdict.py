"""The verdict: proving a patch in fresh attempts (DESIGN, invariant 2).

A patch is proven when the guard is silent, the target (the problem's own failing tests or findings) is gone, nothing that passed before
fails now, and all that holds in k runs, each in a fresh attempt on a snapshot in which tests, checks and configuration are the originals.
The cheapest deciding run goes first: the failing tests alone, in a warm attempt where there is one (`quick`); then those that
the patch is likely to break, which can only refuse (`impacted`); everything after that is cold.

Flaky tests never decide alone. The rule, in full:

1. Tests that are known to be flaky (`flaky`, from the quarantine) are taken out of the target. A target of nothing else proves nothing.
2. What is left of the target must pass alone, in k whole runs, and under each of `shaken` (another hash seed, a stalling machine, ...). A
   pass that depends on those circumstances is no proof.
3. It must fail in each of `controls` runs of the text without the patch. What passes there without the patch was flaky: it is taken out
   of the target as in 1, and noted.
4. A test that passed before and fails now, in any of the k runs, refuses the patch unless it is shown to be flaky: known as such, or
   failing on the text without the patch too (`flaky.weigh`). A patch that makes a steady test fail sometimes is refused.
5. A flaky test that failed in all k runs of the patched text refuses only if further pairs of runs, without and with the patch, all agree
   that it passes without and fails with it. That is a comparison, not the flaky test's word: chance alone gives it at most once in
   4 ** PAIRS cases. Without this, whatever only a flaky test covers could be broken unseen.

So a flaky test neither makes an offer (1 to 3) nor breaks one (4, 5), and what is proven is still that nothing which passed fails. What
this does not show: a test that is flaky and never met as such. It makes an offer where it fails in the run that finds it, in its
reproduction and in all controls, and then passes in all runs of the proof; it breaks one where it fails in one of the k runs and in none
of the runs on the text without the patch. Tests that hang or crash a whole check are not told apart from the check's own breakdown.
"""

from __future__ import annotations

import functools
import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.findings import Finding
from suture_sandbox.flaky.perturb import Perturbation
from suture_sandbox.flaky.shake import shaken as fails_when_shaken
from suture_sandbox.flaky.statistics import FlakyTest
from suture_sandbox.flaky.weigh import Book, Lost, Scales, unsteady
from suture_sandbox.guard import GuardContext, GuardFinding, GuardPolicy, inspect, protected_paths
from suture_sandbox.impacted import PATIENCE_FACTOR, PATIENCE_SECONDS, Impacted, Question, find_broken
from suture_sandbox.patch import Patch
from suture_sandbox.quick import run_failing
from suture_sandbox.sandbox import Sandbox, together
from suture_sandbox.snapshot import Snapshot


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
    """Tests that flipped between runs of the same text, or were known to; they decided nothing."""
    unsteady: tuple[FlakyTest, ...] = ()
    """Those of them that flipped on the text without the patch, with what was counted: for the quarantine."""
    guard: tuple[GuardFinding, ...] = ()
    infrastructure: bool = False
    """Whether the machine failed, so that nothing is said about the patch."""
    seconds: float = 0.0
    after: tuple[CheckResult, ...] = ()
    """Results of all checks on the patched snapshot; empty unless every stage was reached."""
    deciding: CheckResult | None = None
    """The run that decided against the patch, where one did: what a policy is shown next."""


class Doubts(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof holds against flakiness."""

    original: Snapshot
    flaky: Mapping[str, Collection[str]] = {}
    """Check -> ids of its tests that are known to be flaky."""
    shaken: tuple[Perturbation, ...] = ()
    """Circumstances under which the target must pass too."""
    controls: int = 0
    """Runs of the target on the text without the patch, in which it must fail."""
    book: Book

    def known(self, check: str) -> frozenset[str]:
        """Ids of a check's tests that are known to be flaky, from before or from this proof."""
        return frozenset(self.flaky.get(check, ())) | {test for name, test in self.book.flaky if name == check}

    def scales(self, sandbox: Sandbox, check: Check, patched: Snapshot, seconds: int | None) -> Scales:
        """For weighing one check."""
        return Scales(
            sandbox=sandbox,
            check=check,
            original=self.original,
            patched=patched,
            known=self.flaky.get(check.name, ()),
            book=self.book,
            seconds=seconds,
        )


async def prove(
    sandbox: Sandbox,
    snapshot: Snapshot,
    before: Sequence[CheckResult],
    target: Target,
    patch: Patch,
    *,
    reruns: int = 3,
    guard: GuardPolicy | None = None,
    impacted: Impacted = lambda _check, _patch: (),
    on_stage: Callable[[str], None] = lambda _stage: None,
    flaky: Mapping[str, Collection[str]] | None = None,
    shaken: Sequence[Perturbation] = (),
    controls: int = 0,
    book: Book | None = None,
) -> Verdict:
    """Prove `patch` against `snapshot`, on which the checks gave `before`. Raises PatchError when the patch does not apply.

    `flaky` names the tests that are known to be flaky, check by check; `book` is shared by the proofs of one problem.
    `impacted` names the tests of a check that the patch may break; they are asked before the whole check where that pays.
    """
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
    book = book or Book()
    doubts = Doubts(original=snapshot, flaky=flaky or {}, shaken=tuple(shaken), controls=controls, book=book)
    known = (*target.tests, *doubts.known(target.check))
    asked = Question(snapshot=snapshot, patch=originals, patched=patched, known=known, reruns=max(1, reruns))
    verdict = await _run_stages(sandbox, asked, before, target, impacted, on_stage, doubts)
    return msgspec.structs.replace(verdict, seconds=time.monotonic() - started, unsteady=book.found())


async def _run_stages(
    sandbox: Sandbox,
    asked: Question,
    before: Sequence[CheckResult],
    target: Target,
    impacted: Impacted,
    on_stage: Callable[[str], None],
    doubts: Doubts,
) -> Verdict:
    patched, reruns = asked.patched, asked.reruns
    check = sandbox.check_named(target.check)
    rest = [other for other in sandbox.environment.checks if other.name != check.name]
    old = {result.check: result for result in before}
    target, doubted = without_tests(target, doubts.known(check.name))
    if not target.findings:
        return Verdict(passed=False, reason=f"only flaky tests fail: {_few(doubted)}", flaky=doubted)
    if check.selectable and target.tests:
        on_stage(f"{check.name}: {len(target.tests)} failing")
        left_of = functools.partial(remaining, target)
        first = await run_failing(sandbox, check, patched, target.tests, left_of, _patience(old.get(check.name)))
        left = remaining(target, first)
        if first.status == "infrastructure" or left:
            return _refusal(first, left, reruns=0)
    early = await _ask_impacted(sandbox, [check], old, asked, impacted, on_stage)
    if early is not None:
        return early
    on_stage(f"{check.name}: all")
    whole = await sandbox.check(check, patched, seconds=_patience(old.get(check.name)))
    refusal = _judge_whole(target, old.get(check.name), whole)
    if refusal is not None:
        return refusal
    early = await _ask_impacted(sandbox, rest, old, asked, impacted, on_stage)
    if early is not None:
        return early
    on_stage("other checks")
    others = await sandbox.check_all(patched, rest)
    refusal = await _judge_others(sandbox, patched, old, others, doubts)
    if not refusal.passed:
        return refusal
    on_stage(f"{check.name}: {reruns - 1} reruns")
    verdict = await _rerun(sandbox, check, patched, old.get(check.name), target, whole, others, reruns, doubts)
    flaky = tuple(sorted({*verdict.flaky, *refusal.flaky, *doubted}))
    return msgspec.structs.replace(verdict, flaky=flaky)


async def _judge_others(
    sandbox: Sandbox, patched: Snapshot, old: Mapping[str, CheckResult], others: Sequence[CheckResult], doubts: Doubts
) -> Verdict:
    """Refuse what breaks another check; a verdict that passes holds the flaky tests that were met."""
    lost = [result for result in others if result.status == "infrastructure"]
    if lost:
        return _refusal(lost[0], (), reruns=1)
    flaky: set[str] = set()
    for result in others:
        broken = breakage(old.get(result.check), result)
        if broken and all(_is_test(name, result) for name in broken):
            scales = doubts.scales(sandbox, sandbox.check_named(result.check), patched, _patience(old.get(result.check)))
            weighed = await scales.weigh([broken])
            if weighed.lost is not None:
                return _refusal(weighed.lost, (), reruns=1)
            flaky |= weighed.flaky
            broken = tuple(name for name in broken if name in weighed.broken)
        if broken:
            return Verdict(passed=False, reason=f"it breaks {_few(broken)}", broken=broken, flaky=tuple(flaky), reruns=1, deciding=result)
    return Verdict(passed=True, flaky=tuple(flaky))


async def _ask_impacted(
    sandbox: Sandbox,
    checks: Iterable[Check],
    before: Mapping[str, CheckResult],
    asked: Question,
    impacted: Impacted,
    on_stage: Callable[[str], None],
) -> Verdict | None:
    """Refuse a patch that breaks a test which it was likely to break; None leaves it to the whole checks."""
    for check in checks:
        broken = await find_broken(sandbox, check, before.get(check.name), asked, impacted, on_stage)
        if broken is not None:
            return Verdict(passed=False, reason=f"it breaks {_few(broken.tests)}", broken=broken.tests, deciding=broken.result)
    return None


async def _rerun(
    sandbox: Sandbox,
    check: Check,
    patched: Snapshot,
    before: CheckResult | None,
    target: Target,
    whole: CheckResult,
    others: tuple[CheckResult, ...],
    reruns: int,
    doubts: Doubts,
) -> Verdict:
    """Run the failing check again until it has run `reruns` times, and take all runs together."""
    runs = [whole, *await together(sandbox.check(check, patched, seconds=_patience(before)) for _ in range(reruns - 1))]
    lost = next((run for run in runs if run.status == "infrastructure"), None)
    if lost is not None:
        return _refusal(lost, (), reruns=len(runs))
    left = {name for run in runs for name in remaining(target, run)}
    flaky = _flipping(runs)
    if left:
        return Verdict(passed=False, reason=f"{_few(left)} does not pass every time", flaky=tuple(sorted(flaky)), reruns=len(runs))
    broken_in = [set(breakage(before, run)) for run in runs]
    for run, broken in zip(runs, broken_in, strict=True):
        if whole_check := [name for name in sorted(broken) if not _is_test(name, run)]:
            said = f"it breaks {_few(whole_check)}"
            return Verdict(passed=False, reason=said, broken=tuple(whole_check), flaky=tuple(flaky), reruns=len(runs), deciding=run)
    if any(broken_in):
        scales = doubts.scales(sandbox, check, patched, _patience(before))
        weighed = await scales.weigh(broken_in)
        if weighed.lost is not None:
            return _refusal(weighed.lost, (), reruns=len(runs))
        flaky = (flaky | weighed.flaky) - weighed.broken
        if weighed.broken:
            return _broken(weighed.broken, broken_in, flaky, runs)
    doubted = await _doubted(doubts.scales(sandbox, check, patched, _patience(before)), target, doubts, len(runs))
    if not doubted.passed:
        return msgspec.structs.replace(doubted, flaky=tuple(sorted({*doubted.flaky, *flaky})))
    ordered = {result.check: result for result in (whole, *others)}
    after = tuple(ordered[each.name] for each in sandbox.environment.checks if each.name in ordered)
    return Verdict(passed=True, reruns=len(runs), fixed=doubted.fixed, flaky=tuple(sorted({*flaky, *doubted.flaky})), after=after)


def _broken(broken: frozenset[str], broken_in: Sequence[set[str]], flaky: set[str], runs: Sequence[CheckResult]) -> Verdict:
    """The refusal of a patch after all runs of its check."""
    names = tuple(sorted(broken))
    always = all(names[0] in each for each in broken_in)
    reason = f"it breaks {_few(names)}" if always else f"it makes {_few(names)} fail sometimes"
    deciding = next(run for run, each in zip(runs, broken_in, strict=True) if names[0] in each)
    return Verdict(passed=False, reason=reason, broken=names, flaky=tuple(sorted(flaky)), reruns=len(runs), deciding=deciding)


async def _doubted(scales: Scales, target: Target, doubts: Doubts, reruns: int) -> Verdict:
    """Whether the target's pass is the patch's doing, and holds under other circumstances; only the winner pays for this."""
    try:
        passing = await unsteady(scales, target.tests, doubts.controls)
        target, flaky = without_tests(target, passing)
        if not target.findings:
            return Verdict(passed=False, reason=f"{_few(flaky)} passes without it too: flaky", flaky=flaky, reruns=reruns)
        failing = await fails_when_shaken(scales, target.tests, doubts.shaken)
    except Lost as error:
        return _refusal(error.result, (), reruns=reruns)
    if failing:
        test, circumstances = next(iter(failing.items()))
        return Verdict(passed=False, reason=f"{test} passes, but not under this: {circumstances}", flaky=(*flaky, *failing), reruns=reruns)
    return Verdict(passed=True, fixed=tuple(names_of(target)), flaky=flaky)


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


def without_tests(target: Target, tests: Collection[str]) -> tuple[Target, tuple[str, ...]]:
    """The target without what these tests say, and those of them that were in it."""
    kept = tuple(finding for finding in target.findings if finding.test not in tests or not finding.test)
    return msgspec.structs.replace(target, findings=kept), tuple(test for test in target.tests if test in tests)


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
