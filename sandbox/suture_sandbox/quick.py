"""The first look at a patch: the failing tests alone, in a warm attempt where one is to be had.

A warm run proves nothing: what it lets pass is run cold, whole and several times (`verdict`). And so that it refuses nothing that a cold
one would let pass, the first refusal of every check is asked of a cold run too; where the two differ, warm runs of that check are not used
any more. A result that is kept of an earlier run on equal content will do as well, for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable

from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot


async def run_failing(
    sandbox: Sandbox,
    check: Check,
    snapshot: Snapshot,
    tests: tuple[str, ...],
    left: Callable[[CheckResult], tuple[str, ...]],
    seconds: int | None,
) -> CheckResult:
    """Run these tests alone; `left` says what a result still shows of the target."""
    trust = sandbox.trust
    result = await sandbox.check(check, snapshot, select=tests, seconds=seconds, warm=not trust.is_doubted(check.name), memo=True)
    if not result.warm or result.status == "infrastructure" or not left(result) or trust.has_agreed(check.name):
        return result
    cold = await sandbox.check(check, snapshot, select=tests, seconds=seconds)
    if cold.status != "infrastructure":
        trust.compared(check.name, same=left(cold) == left(result))
    return cold
