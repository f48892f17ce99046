"""Reproduce or drop: before a problem is worked on its failure must show again, every time; what is known to be flaky is not worked on."""

from __future__ import annotations

from typing import Literal

import msgspec

from suture_agent.problem import Problem, still_fails
from suture_sandbox.flaky.hunt import source_of
from suture_sandbox.flaky.perturb import PLAIN
from suture_sandbox.flaky.statistics import FlakyTest, guess
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.verdict import without_tests

Dropped = Literal["", "passed", "flaky", "mended"]
"""Why a problem is not worked on: it passed unchanged, only tests that are known to be flaky fail, an earlier fix mended it too."""


class Reproduction(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a failure shows again."""

    dropped: Dropped = ""
    """Empty: it does, and is worked on."""
    reason: str = ""
    flaky: tuple[FlakyTest, ...] = ()
    """What failed and then passed on the same text."""


async def reproduce(problem: Problem, sandbox: Sandbox, times: int = 2) -> Reproduction:
    """Run a failure again until it has been seen `times` times in a row, the run that found it included; the first pass ends it.

    Raises InfrastructureError.
    """
    known = problem.flaky.get(problem.check, ())
    left, doubted = without_tests(problem.target, known)
    if doubted and not left.findings:
        more = f" and {len(doubted) - 1} more" if len(doubted) > 1 else ""
        return Reproduction(dropped="flaky", reason=f"only tests that are known to be flaky fail: {next(iter(doubted))}{more}")
    steady = msgspec.structs.replace(problem, target=left)
    for number in range(1, times):
        if not await still_fails(steady, sandbox):
            await sandbox.forget(sandbox.check_named(problem.check), problem.snapshot)
            again = "when it was run again" if number == 1 else f"in run {number + 1}"
            return Reproduction(dropped="passed", reason=f"it passed unchanged {again}: flaky", flaky=_flipped(steady, number))
    return Reproduction()


def _flipped(problem: Problem, failures: int) -> tuple[FlakyTest, ...]:
    by = {PLAIN.name: (failures + 1, failures)}
    return tuple(
        FlakyTest(check=problem.check, test=test, kind=guess(by, {}, source_of(problem.snapshot, test)), by=by)
        for test in problem.target.tests
    )
