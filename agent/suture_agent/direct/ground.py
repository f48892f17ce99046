"""What candidates are made against: a snapshot, the failures left on it and the places that may hold the mistake."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from suture_agent.direct.localise import Suspect, suspects
from suture_agent.direct.trace import trace
from suture_agent.meter import Meter
from suture_agent.problem import Problem
from suture_sandbox.findings import Finding
from suture_sandbox.snapshot import Snapshot


class Ground(msgspec.Struct, frozen=True, kw_only=True):
    """What candidates are made against: the problem's snapshot, or that with a partly successful candidate over it."""

    snapshot: Snapshot
    findings: tuple[Finding, ...]
    left: int
    """How many failures of the target are left on it."""
    suspects: tuple[Suspect, ...]
    passing: tuple[str, ...] = ()
    """Tests of the failing tests' files that pass on it."""
    others: tuple[str, ...] = ()
    """Tests of those files that fail on it too, and are another problem's: of two edits the one that mends more is likelier right."""


async def ground_of(meter: Meter, problem: Problem, snapshot: Snapshot, findings: Sequence[Finding]) -> Ground:
    """Trace the failing tests on a snapshot and rank the places that may hold the mistake behind the findings."""
    check = meter.sandbox.check_named(problem.check)
    started = time.monotonic()
    traced = await trace(meter, check, snapshot, problem.target.tests)
    wanted = tuple(finding for finding in findings if not problem.target.tests or finding.test in problem.target.tests)
    shown = msgspec.structs.replace(problem, target=msgspec.structs.replace(problem.target, findings=wanted or problem.findings))
    ranked = suspects(shown, snapshot, traced)
    passing = tuple(name for name, test in traced.tests.items() if test.outcome == "passed")
    others = tuple(name for name in traced.tests if name not in passing and name not in problem.target.tests)
    meter.step("localise", time.monotonic() - started, ", ".join(f"{each.unit.path}:{each.unit.name}" for each in ranked[:3]))
    left = len(problem.target.tests or problem.findings) if snapshot is problem.snapshot else len(wanted)
    return Ground(snapshot=snapshot, findings=shown.findings, left=left, suspects=ranked, passing=passing, others=others)
