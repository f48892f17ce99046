"""Weighing breakage: whether a patch broke a test, or the test was flaky before.

A test that passed before and fails now is tried on the unpatched text. One that fails there too, in some run, was flaky: it is acquitted.
One that never fails there is taken for broken, whether it fails always or sometimes with the patch. A flaky test that failed in every run
of the patched text is then compared in pairs of runs of the whole check, unpatched and patched: only where all pairs agree that it passes
without and fails with the patch is it broken. Whatever the rate at which such a test passes by itself, chance alone convicts it in at most
one of 4 ** PAIRS cases, so that no flaky test breaks an offer, and no patch breaks a test under the cover of its being flaky.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.flaky.hunt import hunt, says_something, source_of
from suture_sandbox.flaky.perturb import BURNING, COPIES, ELSEWHERE, HASHED, PAUSED, PLAIN, REVERSED, TWICE
from suture_sandbox.flaky.statistics import FlakyTest, Tally, guess
from suture_sandbox.sandbox import Sandbox, together
from suture_sandbox.snapshot import Snapshot

TRIALS = 8
"""Runs of the unpatched text in which a test that seems broken must pass."""
LONG_TRIALS = 48
"""And one that fails only sometimes with the patch: what fails once in ten runs is taken for steady once in a hundred and fifty times."""
PAIRS = 6
"""Pairs of runs, unpatched and patched, that must all agree before a flaky test counts as broken."""
AT_ONCE = 4
"""Trials between two looks at what they showed."""
MOST_SUSPECTS = 10
"""A patch that breaks more tests than this at once has broken them: flaky tests come one by one."""
SEARCH = (*(PLAIN,) * 4, REVERSED, HASHED[0], HASHED[1], ELSEWHERE[0], ELSEWHERE[3], COPIES, TWICE, PAUSED, BURNING)
"""Where a test that fails only sometimes with the patch is looked for on the unpatched text, before the patch is blamed."""
ALONE = "alone"
"""Circumstances of a run of a few tests without the others."""


class Book:
    """What the proofs of one problem have found out about its unpatched text. Shared by them, so that nothing is tried twice."""

    def __init__(self) -> None:
        self.steady: set[tuple[str, str]] = set()
        """Check and test: passed in all trials."""
        self.failing: set[tuple[str, str]] = set()
        """Check and test: failed in all control runs."""
        self.flaky: dict[tuple[str, str], FlakyTest] = {}

    def found(self) -> tuple[FlakyTest, ...]:
        """The flaky tests that were met."""
        return tuple(self.flaky.values())


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """Which of the suspects the patch broke."""

    broken: frozenset[str] = frozenset()
    flaky: frozenset[str] = frozenset()
    lost: CheckResult | None = None
    """The run that the sandbox could not make: nothing is said then."""


class Lost(Exception):
    """The sandbox could not make a run."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__(result.reason)
        self.result = result


class Scales(msgspec.Struct, frozen=True, kw_only=True):
    """One check, with and without a patch."""

    sandbox: Sandbox
    check: Check
    original: Snapshot
    patched: Snapshot
    known: Collection[str]
    """Ids of its tests that are known to be flaky."""
    book: Book
    seconds: int | None
    """How long to wait for a run."""

    async def weigh(self, broken_in: Sequence[Collection[str]]) -> Weighed:
        """Judge the tests that failed in runs of the patched text and passed before; one collection of ids for each run."""
        union = {name for each in broken_in for name in each}
        always = {name for name in union if all(name in each for each in broken_in)}
        known = union & (set(self.known) | {test for check, test in self.book.flaky if check == self.check.name})
        unknown = union - known
        if len(unknown) > MOST_SUSPECTS:
            return Weighed(broken=frozenset(unknown), flaky=frozenset(known))
        try:
            flaky = await self._flaky_before(unknown, unknown - always) | known
            broken = (unknown - flaky) | await self._convicted(flaky & always)
        except Lost as error:
            return Weighed(lost=error.result)
        return Weighed(broken=frozenset(broken), flaky=frozenset(flaky - broken))

    async def _flaky_before(self, tests: set[str], sometimes: set[str]) -> set[str]:
        """Those that fail on the unpatched text in some run; what fails only sometimes with the patch is looked for longer."""
        waiting = {test for test in tests if (self.check.name, test) not in self.book.steady}
        found = await self._tried(waiting, TRIALS)
        longer = (waiting & sometimes) - found
        if longer:
            hunted = await hunt(self.sandbox, self.check, self.original, (), SEARCH, seconds=self.seconds)
            for each in hunted.flaky:
                self.book.flaky[self.check.name, each.test] = each
            found |= longer & {each.test for each in hunted.flaky}
            found |= await self._tried(longer - found, LONG_TRIALS)
        self.book.steady.update((self.check.name, test) for test in waiting - found)
        return found

    async def _tried(self, tests: set[str], times: int) -> set[str]:
        """Those that fail in one of so many runs; a test is not run again after its first failure."""
        tally, found = Tally(), set[str]()
        for _ in range(0, times, AT_ONCE):
            left = sorted(tests - found)
            if left:
                for result in await together(self.run(self.original, left) for _ in range(AT_ONCE)):
                    seen = {outcome.id: outcome.good for outcome in result.tests if outcome.id in tests}
                    for test, good in seen.items():
                        tally.add(test, ALONE, good=good)
                    found |= {test for test, good in seen.items() if not good}
        for test in found:
            tally.add(test, PLAIN.name, good=True)  # the run before the patch
            by = tally.by(test)
            kind = guess(by, {ALONE: "order"}, source_of(self.original, test))
            self.book.flaky[self.check.name, test] = FlakyTest(check=self.check.name, test=test, kind=kind, by=by)
        return found

    async def _convicted(self, tests: Iterable[str]) -> set[str]:
        """Those of the flaky tests that every pair of whole runs shows broken."""
        left = set(tests)
        for _ in range(PAIRS):
            if not left:
                break
            before, after = await together((self.run(self.original, ()), self.run(self.patched, ())))
            left &= _good(before)
            left -= _good(after)
        return left

    async def run(self, snapshot: Snapshot, tests: Sequence[str], *, warm: bool = False) -> CheckResult:
        """Run some tests, or all where none are named; warm only where a pass decides nothing but a doubt. Raises Lost."""
        select = tests if self.check.selectable else ()
        forked = warm and bool(select) and not self.sandbox.trust.is_doubted(self.check.name)
        result = await self.sandbox.check(self.check, snapshot, select=select, seconds=self.seconds, warm=forked)
        if result.status == "infrastructure":
            raise Lost(result)
        return result


def _good(result: CheckResult) -> set[str]:
    return {outcome.id for outcome in result.tests if outcome.good}


async def unsteady(scales: Scales, tests: Sequence[str], times: int) -> frozenset[str]:
    """Those of a target's tests that pass on the unpatched text in one of the control runs: the patch is not what makes them pass.

    A test that passes alone and failed among the others is controlled among the others. Raises Lost.
    """
    name, book = scales.check.name, scales.book
    waiting = [test for test in tests if (name, test) not in book.failing]
    if not waiting or times < 1:
        return frozenset()
    tally = Tally()
    first = await scales.run(scales.original, waiting, warm=True)
    company = {test for test in waiting if test in _good(first)} if scales.check.selectable else set[str]()
    alone = [test for test in waiting if test not in company]
    runs = [first, *(await together(scales.run(scales.original, alone, warm=True) for _ in range(times - 1)) if alone else ())]
    among = await together(scales.run(scales.original, ()) for _ in range(times)) if company else ()
    for circumstances, results, asked in ((ALONE, runs, alone), (PLAIN.name, among, company)):
        for result in results:
            for outcome in result.tests if says_something(result) else ():
                if outcome.id in asked:
                    tally.add(outcome.id, circumstances, good=outcome.good)
    passed = frozenset(test for test in waiting if any(runs > failures for runs, failures in tally.by(test).values()))
    book.failing.update((name, test) for test in waiting if test not in passed)
    for test in passed:
        tally.add(test, PLAIN.name, good=False)  # the run that found it
        kind = guess(tally.by(test), {}, source_of(scales.original, test))
        book.flaky[name, test] = FlakyTest(check=name, test=test, kind=kind, by=tally.by(test))
    return passed
