"""A sandbox: a backend bound to an environment. Runs commands and checks; decides how a check ended.

It deliberately keeps no state between runs: every run is a fresh attempt, and results are values.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Iterable, Sequence
from typing import TypeVar

from suture_sandbox.backend import Backend, Command, Completed
from suture_sandbox.checks import Check, CheckResult, CheckStatus
from suture_sandbox.environment import Environment
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.findings import Finding
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.parsers import PARSERS
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range

T = TypeVar("T")

OUTPUT_CHARACTERS = 20_000
"""How much of a check's output a result keeps: its first third and its last two thirds."""

_STOPPED = {
    "memory": "it used more memory than the sandbox allows",
    "processes": "it started more processes than the sandbox allows",
    "disk": "it wrote more than the sandbox allows",
    "output": "it printed more than the sandbox allows",
}
_NOT_STARTED = {126: "the command is not executable inside the sandbox", 127: "the command was not found inside the sandbox"}


class Sandbox:
    """Runs commands and checks of one environment, at most `slots` at once."""

    def __init__(self, backend: Backend, environment: Environment, *, slots: int | None = None) -> None:
        self.backend = backend
        self.environment = environment
        self._slots = asyncio.Semaphore(slots or os.cpu_count() or 1)

    async def run(self, snapshot: Snapshot, command: Command) -> Completed:
        """Run a command in a fresh attempt; see `Backend.run`."""
        async with self._slots:
            return await self.backend.run(snapshot, self.environment, command)

    async def check(self, check: Check, snapshot: Snapshot, *, select: Sequence[str] = (), seconds: int | None = None) -> CheckResult:
        """Run one check; with `select` only those tests, which the check must be able to select. `seconds` can shorten its time-out."""
        if select and not check.selectable:
            raise ConfigurationError(f"check {check.name} cannot run single tests")
        argv = (*check.command, *select)
        completed = await self.run(snapshot, Command(argv=argv, seconds=min(check.timeout, seconds or check.timeout)))
        return await asyncio.to_thread(_judge, check, snapshot, completed)

    async def check_all(self, snapshot: Snapshot, checks: Iterable[Check] | None = None) -> tuple[CheckResult, ...]:
        """Run several checks side by side; all of the environment's where none are given."""
        wanted = self.environment.checks if checks is None else tuple(checks)
        return await together(self.check(check, snapshot) for check in wanted)

    def check_named(self, name: str) -> Check:
        """The environment's check of that name; raises ConfigurationError that lists the names there are."""
        found = self.environment.fields.checks.get(name)
        if found is None:
            names = ", ".join(self.environment.fields.checks) or "none"
            raise ConfigurationError(f"there is no check named {name!r}", remedy=f"checks of this workspace: {names}")
        return found

    async def close(self) -> None:
        """Stop what the backend keeps warm; idempotent."""
        await self.backend.close()


async def together(works: Iterable[Coroutine[None, None, T]]) -> tuple[T, ...]:
    """Run coroutines side by side; the first error ends the others and is raised as it is, not as a group."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work) for work in works]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from errors
    return tuple(task.result() for task in tasks)


def _judge(check: Check, snapshot: Snapshot, completed: Completed) -> CheckResult:
    """Turn what a command left behind into a result; parsing is CPU work, so it runs in a thread."""
    stdout, stderr, report = (part.decode("utf-8", "replace") for part in (completed.stdout, completed.stderr, completed.report))
    parsed = PARSERS[check.report](
        ReportInput(check=check.name, root=str(snapshot.root), stdout=stdout, stderr=stderr, report=report, read_text=snapshot.read_text)
    )
    output = shorten(f"{stdout.rstrip()}\n{stderr.rstrip()}".strip(), OUTPUT_CHARACTERS)
    status, reason = _status(completed, parsed, output)
    findings = parsed.findings
    if status not in ("passed", "infrastructure") and not findings:
        findings = (_whole_check(check, reason or "it failed", output),)
    return CheckResult(
        check=check.name,
        status=status,
        exit_code=completed.exit_code,
        seconds=completed.seconds,
        findings=findings,
        tests=parsed.tests,
        output=output,
        reason=reason,
    )


def _status(completed: Completed, parsed: Report, output: str) -> tuple[CheckStatus, str]:
    code = completed.exit_code
    wrong = any(finding.severity == "error" for finding in parsed.findings)
    if completed.ended == "timeout":
        return "timeout", f"it did not end within {completed.seconds:.0f} s"
    if completed.ended in _STOPPED:
        return "killed", _STOPPED[completed.ended]
    if completed.ended == "signalled" or code is None or code < 0:
        return "crashed", f"it ended by signal {-code if code else 'unknown'}"
    if code in _NOT_STARTED and not parsed.findings:
        return "infrastructure", _NOT_STARTED[code]
    if not parsed.complete and not wrong:
        return "crashed", f"it ended with exit code {code} and without a whole report"
    if code == 0:
        return ("failed", "") if wrong else ("passed", "")
    if not parsed.findings and not output:
        return "silent", f"it ended with exit code {code} and said nothing"
    return "failed", ""


def _whole_check(check: Check, message: str, output: str) -> Finding:
    """The finding of a check that failed as a whole, without naming a place."""
    nowhere = Range(Position(0, 0), Position(0, 0))
    last = output.rsplit("\n", 1)[-1].strip()
    return Finding(
        check=check.name, path="", range=nowhere, code=check.name, message=f"{message}: {last}" if last else message, detail=output
    )


def shorten(text: str, limit: int) -> str:
    """Cut the middle out of a long text: the first third and the last two thirds of `limit` characters stay."""
    if len(text) <= limit:
        return text
    head = limit // 3
    return f"{text[:head]}\n... {len(text) - limit} characters left out ...\n{text[head - limit :]}"
