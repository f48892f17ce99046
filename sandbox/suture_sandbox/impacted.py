"""The stage of a proof that asks the tests which a patch is likely to break, before all of them run. It can refuse, and never let pass.

Who names the tests may be wrong in any way: whatever it names, a verdict's pass or fail is what it is without this stage, given tests that
do not depend on each other. So a test counts as broken only where it fails as often as the whole check would have to, the first time warm
and then cold and alone, and where it passes alone on the text without the patch: what passes only after other tests says nothing here.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Sequence

import msgspec

from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.patch import Patch
from suture_sandbox.sandbox import Sandbox, together
from suture_sandbox.snapshot import Snapshot

Impacted = Callable[[str, Patch], Sequence[str]]
"""Name of a check and a patch -> node ids of the tests that it may break, the likeliest first."""

LONG_SECONDS = 2.0
"""A check that took less is run as a whole at once."""
MOST_TESTS, MOST_CHARACTERS = 1_000, 60_000
"""Of node ids on one command line; the likeliest come first, and the others are left to the whole check."""
PATIENCE_SECONDS, PATIENCE_FACTOR = 10, 4
"""A proof waits for a check this many seconds plus this often the time that the check took before: a patch that hangs must not cost the
check's whole time-out at every run."""


class Broken(msgspec.Struct, frozen=True, kw_only=True):
    """Tests that a patch breaks."""

    tests: tuple[str, ...]
    result: CheckResult
    """A cold run of them alone."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the stage is asked about."""

    snapshot: Snapshot
    patch: Patch
    patched: Snapshot
    known: tuple[str, ...]
    """Tests of the target: they have been run already, and failed before."""
    reruns: int
    """How often the check has to say the same."""


async def find_broken(
    sandbox: Sandbox,
    check: Check,
    before: CheckResult | None,
    asked: Question,
    impacted: Impacted,
    on_stage: Callable[[str], None] = lambda _stage: None,
) -> Broken | None:
    """The impacted tests of one check that passed and do not any more; None where there are none, or nothing can be said."""
    if before is None or not is_long(check, before):
        return None
    named = await asyncio.to_thread(impacted, check.name, asked.patch)
    chosen = worthwhile(before, [test for test in named if test not in asked.known])
    if not chosen:
        return None
    on_stage(f"{check.name}: {len(chosen)} impacted")
    seconds = PATIENCE_SECONDS + math.ceil(PATIENCE_FACTOR * _seconds(before, chosen))
    warm = not sandbox.trust.is_doubted(check.name)
    first = await sandbox.check(check, asked.patched, select=chosen, seconds=seconds, warm=warm)
    suspects = failing(first, chosen)
    if not suspects:
        return None
    alone = await sandbox.check(check, asked.patched, select=suspects, seconds=seconds)
    suspects = failing(alone, suspects)
    if not suspects:
        return None
    again = (asked.patched for _ in range(asked.reruns - 2))
    without, *others = await together(sandbox.check(check, each, select=suspects, seconds=seconds) for each in (asked.snapshot, *again))
    passing = {outcome.id for outcome in without.tests if outcome.outcome == "passed"}
    for other in others:
        suspects = failing(other, suspects)
    broken = tuple(test for test in suspects if test in passing)
    return Broken(tests=broken, result=alone) if broken else None


def is_long(check: Check, before: CheckResult) -> bool:
    """Whether a look at some tests of a check before all of them can pay."""
    return check.selectable and before.status in ("passed", "failed") and before.seconds > LONG_SECONDS


def worthwhile(before: CheckResult, named: Iterable[str]) -> tuple[str, ...]:
    """Those of the tests that passed before, while they are at most half of all tests and took at most half of the time; else none."""
    passed = {outcome.id for outcome in before.tests if outcome.outcome == "passed"}
    chosen = [test for test in dict.fromkeys(named) if test in passed][:MOST_TESTS]
    while chosen and sum(map(len, chosen)) > MOST_CHARACTERS:
        del chosen[len(chosen) // 2 :]
    if 2 * len(chosen) > len(before.tests) or 2 * _seconds(before, chosen) > before.seconds:
        return ()
    return tuple(chosen)


def failing(result: CheckResult, tests: Iterable[str]) -> tuple[str, ...]:
    """Those of the tests that ran and failed. One that did not run may have another name now, and is left to the whole check."""
    if result.status != "failed":
        return ()
    bad = {outcome.id for outcome in result.tests if not outcome.good}
    return tuple(test for test in tests if test in bad)


def _seconds(before: CheckResult, tests: Iterable[str]) -> float:
    took = {outcome.id: outcome.seconds for outcome in before.tests}
    return sum(took[test] for test in tests)
