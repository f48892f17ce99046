"""Shaking a proof: what a patch mends must pass under other circumstances too, or the pass depends on them and proves nothing."""

from __future__ import annotations

from collections.abc import Sequence

from suture_sandbox.flaky.perturb import Perturbation, applies
from suture_sandbox.flaky.weigh import Lost, Scales
from suture_sandbox.sandbox import together

NOT_THERE = (126, 127)
"""Exit codes of a program that cannot be started: an environment without Python cannot stall or load a check's command."""


async def shaken(scales: Scales, tests: Sequence[str], perturbations: Sequence[Perturbation]) -> dict[str, str]:
    """Test -> name of the circumstances under which it fails on the patched text, for those that fail under any. Raises Lost."""
    if not tests:
        return {}
    check, select = scales.check, tests if scales.check.selectable else ()
    wanted = [each for each in perturbations if applies(each, check, select)]
    results = await together(
        scales.sandbox.check(check, scales.patched, select=select, seconds=scales.seconds, perturbation=each) for each in wanted
    )
    found: dict[str, str] = {}
    for perturbation, result in zip(wanted, results, strict=True):
        if result.status == "infrastructure":
            if result.exit_code in NOT_THERE and perturbation.launched:
                continue
            raise Lost(result)
        good = {outcome.id for outcome in result.tests if outcome.good}
        for test in tests:
            if test not in good:
                found.setdefault(test, perturbation.name)
    return found
