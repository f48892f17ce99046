"""`suture check`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from suture_server.cli.common import Output, backend_option, chosen_backend, options, run_async, workspace_root

if TYPE_CHECKING:
    from suture_agent.workspace import Workspace
    from suture_sandbox.checks import Check, CheckResult

STYLES = {"passed": "green", "failed": "red", "infrastructure": "magenta"}


@click.command()
@click.argument("path", required=False)
@click.option("--check", "names", multiple=True, metavar="NAME", help="Only this check; may be given several times.")
@click.option(
    "--flaky",
    "rounds",
    is_flag=False,
    flag_value=1,
    default=None,
    type=click.IntRange(1, 20),
    metavar="[ROUNDS]",
    help="Then hunt for flaky tests: other orders, hash seeds, times, copies at once, load; what flips is put into quarantine.",
)
@backend_option
@options
def check(path: str | None, names: tuple[str, ...], rounds: int | None, backend: str | None, output: Output) -> int:
    r"""Run the workspace's checks in the pinned sandbox and show what they find.

    The workspace is PATH, or the project around the current folder. Nothing in it is changed.

    \b
    Examples:
      suture check
      suture check ~/src/shop --check tests --json
      suture check --flaky
    """
    return run_async(_check(path, names, rounds, chosen_backend(backend), output))


async def _check(path: str | None, names: tuple[str, ...], rounds: int | None, overrides: dict[str, object], output: Output) -> int:
    from suture_agent.workspace import open_workspace
    from suture_sandbox.sandbox import together
    from suture_server.cli.hunting import hunt_all

    started = time.monotonic()
    workspace = await open_workspace(workspace_root(path), overrides=overrides, progress=output.note)
    note_missing(workspace, output)
    try:
        wanted = [workspace.sandbox.check_named(name) for name in dict.fromkeys(names)] or list(workspace.sandbox.environment.checks)
        if not wanted:
            output.note("no checks were found in this workspace", style="yellow")
        results = await together(_one(workspace, each, output) for each in wanted)
        flaky = await hunt_all(workspace, wanted, rounds, output) if rounds else None
    finally:
        await workspace.close()
    if any(not result.passed for result in results):
        _note_hidden(await asyncio.to_thread(workspace.hidden_from_tests), output)
    summary = summarise(results, workspace.sandbox.environment.identity, time.monotonic() - started)
    output.line(summary if flaky is None else {**summary, "flaky": flaky})
    output.say(
        f"{summary['passed']} passed, {summary['failed']} failed"
        + (f", {summary['infrastructure']} could not run" if summary["infrastructure"] else "")
        + f"  ({summary['seconds']:.1f} s, environment {summary['environment'][:12]})",
        style="green" if len(results) == summary["passed"] else "red",
    )
    return 3 if summary["infrastructure"] else 1 if summary["failed"] else 0


def note_missing(workspace: Workspace, output: Output) -> None:
    """Checks that pass say little where the tests were not among them."""
    for note in workspace.missing:
        output.note(f"note: {note}", style="yellow")


def _note_hidden(hidden: tuple[str, ...], output: Output) -> None:
    """A test that reads a certificate fails for no reason that its message could tell."""
    if hidden:
        first, *others = hidden
        more = f" and {len(others)} more" if others else ""
        output.note(
            f"note: {first}{more} appear{'' if more else 's'} empty inside, because the name looks secret; where tests need it:"
            " sandbox.unmask, see suture doctor --help"
        )


async def _one(workspace: Workspace, check: Check, output: Output) -> CheckResult:
    result = await workspace.sandbox.check(check, workspace.snapshot)
    output.line(check_line(check, result))
    for finding in result.findings:
        output.line(
            {
                "event": "finding",
                "check": result.check,
                "path": finding.path,
                "range": finding.range,
                "severity": finding.severity,
                "code": finding.code,
                "message": finding.message,
                **({"test": finding.test} if finding.test else {}),
            }
        )
    show(check, result, output)
    return result


def check_line(check: Check, result: CheckResult) -> dict[str, Any]:
    """The JSON line of a result. A crash, a kill or silence is `failed` for programs, with the kind of failure beside it."""
    status = result.status if result.status in ("passed", "failed", "timeout", "infrastructure") else "failed"
    line: dict[str, Any] = {
        "event": "check",
        "name": check.name,
        "command": list(check.command),
        "status": status,
        "exit_code": result.exit_code,
        "seconds": round(result.seconds, 3),
        "findings": len(result.findings),
    }
    if result.reason:
        line |= {"ended": result.status, "reason": result.reason}
    return line


def show(check: Check, result: CheckResult, output: Output) -> None:
    """Show a result to a person: one line, then its findings."""
    if output.json:
        return
    tests = f", {sum(test.good for test in result.tests)} of {len(result.tests)} tests pass" if result.tests else ""
    reason = f": {result.reason}" if result.reason else ""
    output.say(f"{check.name:8} {result.status}{reason}{tests}  ({result.seconds:.1f} s)", style=STYLES.get(result.status, "red"))
    for finding in result.findings[: 200 if output.verbose else 20]:
        place = f"{finding.path}:{finding.range.start.line + 1}:{finding.range.start.character + 1}: " if finding.path else ""
        first = finding.message.splitlines()[0] if finding.message else ""
        output.say(f"  {place}{f'[{finding.code}] ' if finding.code else ''}{first}" + (f"  ({finding.test})" if finding.test else ""))
        if output.verbose and finding.detail:
            output.say("\n".join(f"    {line}" for line in finding.detail.splitlines()), style="dim")
    if len(result.findings) > 20 and not output.verbose:
        output.say(f"  ... and {len(result.findings) - 20} more; -v shows all")


def summarise(results: Sequence[CheckResult], identity: str, seconds: float) -> dict[str, Any]:
    """The summary line."""
    passed = sum(result.passed for result in results)
    lost = sum(result.status == "infrastructure" for result in results)
    return {
        "event": "summary",
        "passed": passed,
        "failed": len(results) - passed - lost,
        "infrastructure": lost,
        "environment": identity,
        "seconds": round(seconds, 3),
    }
