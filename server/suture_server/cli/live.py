"""How `suture fix` looks: JSON lines for programs; for people the steps as they happen on stderr, the proven diffs on stdout."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

from suture_agent.batch import Summary
from suture_agent.events import Event, ProblemDropped, ProblemFound, Progress, RepairDone, StepDone, VerdictReached, to_json
from suture_server.cli.common import Output

if TYPE_CHECKING:
    from rich.status import Status

MARKS = {
    "fixed": ("proven", "bold green"),
    "unfixed": ("not fixed", "red"),
    "infrastructure": ("could not work", "magenta"),
    "cancelled": ("cancelled", "yellow"),
}


class Live:
    """Shows the events of a run."""

    def __init__(self, output: Output, root: Path, *, only_diff: bool, named: bool = False) -> None:
        self._output = output
        self._root = root
        self._only_diff = only_diff
        self._named = named
        """Whether each line says which problem it is about: several are in work at once."""
        self._status: Status | None = None
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        if not self._output.quiet and self._output.progress.is_terminal:
            self._status = self._output.progress.status("starting")
            self._status.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def event(self, event: Event) -> None:
        """Show one event."""
        line = to_json(event)
        if line is not None:
            self._output.line(line)
        if self._output.json:
            return
        match event:
            case Progress():
                self._phase(event.phase)
            case ProblemFound():
                self._problem(event)
            case ProblemDropped():
                self._output.note(f"  {event.check} {event.id}: {event.reason}")
            case StepDone():
                self._output.note(
                    f"{self._who(event)}{self._elapsed():6.1f} s  {event.tool:10} {event.note[:100]}  ({event.seconds:.1f} s)"
                )
            case VerdictReached():
                self._verdict(event)
            case RepairDone():
                self._done(event)

    def close(self, summary: Summary, *, applied: bool) -> None:
        """The last lines."""
        if self._output.json:
            return
        say = self._output.note if self._only_diff else self._output.say
        if not summary.problems:
            failing = [result for result in summary.results if not result.passed]
            text = "all checks pass: nothing to repair" if not failing else "nothing that could be worked on"
            say(f"{text}{_dropped(summary)}  ({summary.seconds:.1f} s)", style="yellow" if failing else "green")
            return
        done = "applied" if applied else "written to .suture/patches/"
        say(
            f"{summary.fixed} of {summary.problems} fixed"
            + (f" and {done}" if summary.fixed else "")
            + _dropped(summary)
            + f"  ({summary.seconds:.1f} s, policy {summary.policy})",
            style="green" if summary.fixed == summary.problems else "yellow",
        )

    def _who(self, event: StepDone | VerdictReached | RepairDone) -> str:
        """The beginning of a line about a problem."""
        return f"  {event.problem} " if self._named else "  "

    def _elapsed(self) -> float:
        return time.monotonic() - self._started

    def _phase(self, phase: str) -> None:
        if self._status is not None:
            self._status.update(phase)
            self._status.start()
        elif self._output.verbose:
            self._output.note(f"  {self._elapsed():6.1f} s  {phase}")

    def _problem(self, event: ProblemFound) -> None:
        self._output.note(f"problem {event.id}: {event.check} fails", style="bold")
        for finding in event.findings[:5]:
            first = finding.message.splitlines()[0] if finding.message else finding.code
            self._output.note(
                f"  {finding.path}:{finding.range.start.line + 1}: {first}" + (f"  ({finding.test})" if finding.test else ""), style="red"
            )
        if len(event.findings) > 5:
            self._output.note(f"  ... and {len(event.findings) - 5} more")

    def _verdict(self, event: VerdictReached) -> None:
        verdict = event.verdict
        if verdict.passed:
            flaky = f"; flaky, not counted: {', '.join(verdict.flaky)}" if verdict.flaky else ""
            self._output.note(
                f"{self._who(event)}proven in {verdict.reruns} fresh runs, nothing broken, guard silent{flaky}", style="green"
            )
        else:
            self._output.note(f"{self._who(event)}verdict: {verdict.reason}", style="red")

    def _done(self, event: RepairDone) -> None:
        mark, style = MARKS[event.outcome]
        detail = f": {event.reason}" if event.reason else ""
        spent = f"{event.seconds:.1f} s (policy {event.seconds_policy:.1f}, sandbox {event.seconds_sandbox:.1f}), {event.steps} requests"
        self._output.note(f"{self._who(event)}{mark}{detail}  {spent}", style=style)
        if event.patch:
            self._diff((self._root / event.patch).read_bytes())

    def _diff(self, patch: bytes) -> None:
        if self._status is not None:
            self._status.stop()  # it would leave half a line of its own in front of the diff
        if self._output.console.is_terminal:
            from rich.syntax import Syntax

            text = patch.decode("utf-8", errors="replace")
            self._output.console.print(Syntax(text, "diff", theme="ansi_dark", background_color="default"))
        elif not self._output.json:
            click.echo(patch, nl=False)  # byte for byte: `git apply` needs the line ends


def _dropped(summary: Summary) -> str:
    """What failed and was not worked on."""
    said = (
        (summary.dropped, "passed unchanged when run again"),
        (summary.flaky, "only by tests that are known to be flaky"),
    )
    listed = [f"{number} failed {why}" if why.startswith("only") else f"{number} {why}" for number, why in said if number]
    return f"; dropped: {', '.join(listed)}" if listed else ""
