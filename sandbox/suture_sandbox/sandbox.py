"""A sandbox: a backend bound to an environment. Runs commands and checks; decides how a check ended.

It deliberately keeps no state between runs: every run is a fresh attempt, and results are values.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Iterable, Sequence
from typing import TypeVar

import msgspec

from suture_sandbox.backend import Backend, Command, Completed
from suture_sandbox.checks import Check, CheckResult, CheckStatus
from suture_sandbox.environment import Environment
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.findings import Finding
from suture_sandbox.flaky.perturb import Perturbation, apply
from suture_sandbox.memo import Memo
from suture_sandbox.reports import Report, ReportInput
from suture_sandbox.reports.parsers import PARSERS
from suture_sandbox.slots import NICE, Priority, Slots
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.text import Position, Range

T = TypeVar("T")

OUTPUT_CHARACTERS = 20_000
"""How much of a check's output a result keeps: its first third and its last two thirds."""

NICEST = 19
"""Of nice(1): what runs so gets what others leave of a processor."""

_STOPPED = {
    "memory": "it used more memory than the sandbox allows",
    "processes": "it started more processes than the sandbox allows",
    "disk": "it wrote more than the sandbox allows",
    "output": "it printed more than the sandbox allows",
}
_NOT_STARTED = {126: "the command is not executable inside the sandbox", 127: "the command was not found inside the sandbox"}

_FRAME = re.compile(r"([^\s:/][^:\n]*\.py):([1-9]\d{0,6}): in .*")
_LONGEST_FRAME = 1000


class Trust:
    """Whether warm runs of a check say what cold ones say, as far as the two were compared."""

    def __init__(self) -> None:
        self._same: dict[str, bool] = {}

    def compared(self, check: str, *, same: bool) -> None:
        """A warm run and a cold one of the same text said the same, or did not: one difference is enough."""
        self._same[check] = same and self._same.get(check, True)

    def is_doubted(self, check: str) -> bool:
        """Whether they differed."""
        return not self._same.get(check, True)

    def has_agreed(self, check: str) -> bool:
        """Whether they were compared, and never differed."""
        return self._same.get(check, False)


class Sandbox:
    """Runs commands and checks of one environment, at most `slots` at once."""

    def __init__(
        self,
        backend: Backend,
        environment: Environment,
        *,
        slots: int | Slots | None = None,
        priority: Priority = "person",
        memo: Memo | None = None,
    ) -> None:
        self.backend = backend
        self.environment = environment
        self.memo = memo
        self.slots = slots if isinstance(slots, Slots) else Slots(slots)
        self._priority: Priority = priority
        self.trust = Trust()

    def serving(self, priority: Priority) -> Sandbox:
        """The same sandbox, with the same slots, for work of another urgency."""
        other = Sandbox(self.backend, self.environment, slots=self.slots, priority=priority, memo=self.memo)
        other.trust = self.trust
        return other

    async def run(self, snapshot: Snapshot, command: Command, *, memo: bool = False) -> Completed:
        """Run a command in a fresh attempt; see `Backend.run`. With `memo`, as in `check`, an earlier run on equal content will do."""
        if memo and self.memo is not None:
            ticket = await asyncio.to_thread(self.memo.ticket_of_command, self.environment, command, snapshot)
            known = self.memo.get(ticket)
            if isinstance(known, Completed):
                return known
            done = await self.run(snapshot, command)
            await asyncio.to_thread(self.memo.put, ticket, snapshot, done)
            return done
        polite = msgspec.structs.replace(command, nice=max(command.nice, NICE[self._priority]))
        async with self.slots.taken(self._priority):
            return await self.backend.run(snapshot, self.environment, polite)

    async def spare(self, snapshot: Snapshot, command: Command) -> Completed | None:
        """Run a command while nobody else wants to run anything; None where it had to make room, or could not begin."""
        polite = msgspec.structs.replace(command, nice=NICEST)
        return await self.slots.spare(self.backend.run(snapshot, self.environment, polite))

    async def check(
        self,
        check: Check,
        snapshot: Snapshot,
        *,
        select: Sequence[str] = (),
        seconds: int | None = None,
        warm: bool = False,
        perturbation: Perturbation | None = None,
        memo: bool = False,
    ) -> CheckResult:
        """Run one check; with `select` only those tests, which the check must be able to select. `seconds` can shorten its time-out.

        `warm` as in `Command`. A `perturbation` changes the circumstances of the run, not what is run. With `memo` a result that is kept of
        an earlier run on equal content will do; never ask for that where a run is to prove something, or to show that it comes out alike.
        """
        if select and not check.selectable:
            raise ConfigurationError(f"check {check.name} cannot run single tests")
        most = min(check.timeout, seconds or check.timeout)
        if memo and self.memo is not None and perturbation is None:
            return await self._remembered(self.memo, check, snapshot, select, most, warm=warm)
        return await self._ran(check, snapshot, select, most, warm=warm, perturbation=perturbation)

    async def _ran(
        self, check: Check, snapshot: Snapshot, select: Sequence[str], most: int, *, warm: bool, perturbation: Perturbation | None = None
    ) -> CheckResult:
        command = Command(argv=(*check.command, *select), seconds=most, warm=warm and perturbation is None)
        seen = snapshot
        if perturbation is not None:
            seen, command = apply(perturbation, check, snapshot, command, self.environment, select)
        completed = await self.run(seen, command)
        return await asyncio.to_thread(_judge, check, snapshot, completed)

    async def _remembered(
        self, memo: Memo, check: Check, snapshot: Snapshot, select: Sequence[str], seconds: int, *, warm: bool
    ) -> CheckResult:
        ticket = await asyncio.to_thread(memo.ticket, self.environment, check, snapshot, select, check.timeout)
        known = memo.get(ticket)
        if isinstance(known, CheckResult):
            return known
        result = await self._ran(check, snapshot, select, seconds, warm=warm)
        await asyncio.to_thread(memo.put, ticket, snapshot, result)
        return result

    async def forget(self, check: Check, snapshot: Snapshot) -> None:
        """Drop what is kept of a check's run on this content: another run of it came out differently."""
        if self.memo is not None:
            self.memo.forget(await asyncio.to_thread(self.memo.ticket, self.environment, check, snapshot, (), check.timeout))

    async def check_all(self, snapshot: Snapshot, checks: Iterable[Check] | None = None, *, memo: bool = False) -> tuple[CheckResult, ...]:
        """Run several checks side by side; all of the environment's where none are given."""
        wanted = self.environment.checks if checks is None else tuple(checks)
        return await together(self.check(check, snapshot, memo=memo) for check in wanted)

    async def warm_up(self, snapshot: Snapshot) -> None:
        """Get ready to run the tests of the environment's checks warm; whatever is not possible is left."""
        wanted = (Command(argv=check.command, warm=True) for check in self.environment.checks if check.selectable)
        await together(self.backend.warm_up(snapshot, self.environment, command) for command in wanted)

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
        findings = (_whole_check(check, snapshot, reason or "it failed", output),)
    return CheckResult(
        check=check.name,
        status=status,
        exit_code=completed.exit_code,
        seconds=completed.seconds,
        findings=findings,
        tests=parsed.tests,
        output=output,
        reason=reason,
        warm=completed.warm,
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


def _whole_check(check: Check, snapshot: Snapshot, message: str, output: str) -> Finding:
    """The finding of a check that failed as a whole: at the deepest line of the workspace that its output names, else without a place."""
    last = output.rsplit("\n", 1)[-1].strip()
    path, line = _deepest(snapshot, output)
    told = f"{message}: {last}" if last else message
    return Finding(
        check=check.name, path=path, range=Range(Position(line, 0), Position(line, 0)), code=check.name, message=told, detail=output
    )


def _deepest(snapshot: Snapshot, output: str) -> tuple[str, int]:
    """Path and zero-based line of the last frame in the workspace, as pytest tells of an import that fails before any test is collected."""
    for text in reversed(output.split("\n")):
        found = _FRAME.fullmatch(text[:_LONGEST_FRAME])
        if found is not None and "site-packages/" not in found[1] and snapshot.exists(found[1]):
            return found[1], int(found[2]) - 1
    return "", 0


def shorten(text: str, limit: int) -> str:
    """Cut the middle out of a long text: the first third and the last two thirds of `limit` characters stay."""
    if len(text) <= limit:
        return text
    head = limit // 3
    return f"{text[:head]}\n... {len(text) - limit} characters left out ...\n{text[head - limit :]}"
