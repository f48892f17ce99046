"""`suture check --flaky`: the hunt over a workspace, with progress. What is found is told, and kept in the quarantine."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from suture_server.cli.common import Output

if TYPE_CHECKING:
    from suture_agent.workspace import Workspace
    from suture_sandbox.checks import Check
    from suture_sandbox.flaky.hunt import Hunt
    from suture_sandbox.flaky.statistics import FlakyTest


async def hunt_all(workspace: Workspace, checks: Sequence[Check], rounds: int, output: Output) -> int:
    """Hunt in every check that has tests; returns how many flaky tests were found. Cancelling ends the run under way."""
    from suture_agent.workspace import open_journal
    from suture_sandbox.flaky.hunt import hunt
    from suture_sandbox.flaky.perturb import STANDARD

    found = 0
    with open_journal(workspace) as recorder:
        for check in checks:
            if check.kind != "tests":
                continue
            started = time.monotonic()
            hunted = await hunt(
                workspace.sandbox, check, workspace.snapshot, perturbations=STANDARD * rounds, on_run=_teller(check, output)
            )
            await recorder.flaky(workspace.snapshot, hunted.flaky)
            found += len(hunted.flaky)
            _show(hunted, time.monotonic() - started, output)
    return found


def _teller(check: Check, output: Output) -> Callable[[str, int, int], None]:
    def tell(name: str, done: int, planned: int) -> None:
        output.note(f"  {check.name}: run {done} of {planned}, {name}")

    return tell


def flaky_line(test: FlakyTest) -> dict[str, Any]:
    """The JSON line of a flaky test."""
    line: dict[str, Any] = {"event": "flaky", **msgspec.to_builtins(test)}
    return line | {"runs": test.runs, "failures": test.failures}


def _show(hunted: Hunt, seconds: float, output: Output) -> None:
    for test in hunted.flaky:
        output.line(flaky_line(test))
        worst = sorted(((name, count) for name, count in test.by.items() if count[1]), key=lambda pair: -pair[1][1] / pair[1][0])
        under = ", ".join(f"{name} {failures}/{runs}" for name, (runs, failures) in worst[:3])
        output.say(f"  flaky ({test.kind}): {test.test}  failed in {test.failures} of {test.runs} runs: {under}", style="yellow")
    lost = f", {hunted.lost} of which said nothing" if hunted.lost else ""
    output.say(
        f"{hunted.check:8} {len(hunted.flaky)} flaky, {len(hunted.steady)} passed in all of {hunted.runs} runs{lost}  ({seconds:.1f} s)",
        style="yellow" if hunted.flaky else "green",
    )
