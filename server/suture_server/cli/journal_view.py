"""What `suture journal` shows to people: figures, lists and whole records as text. What programs read is written in `journal`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from suture_server.cli.common import Output

if TYPE_CHECKING:
    from rich.table import Table

    from suture_agent.journal.offers import Decision, Offer
    from suture_agent.journal.quarantine import Listed
    from suture_agent.journal.queries import Line, Record

STYLES = {"fixed": "green", "unfixed": "red", "infrastructure": "magenta", "cancelled": "yellow"}
WIDTH = 200
"""Columns of a table that does not go to a terminal."""


def show_stats(found: Mapping[str, Any], path: Path, output: Output) -> None:
    """The journal in figures."""
    from rich.table import Table
    from rich.text import Text

    output.say(f"{found['episodes']} episodes of {found['problems']} problems in {found['runs']} runs", style="bold")
    table = Table(box=None, show_header=False, pad_edge=False)
    for title in ("outcomes", "checks", "policies", "environments", "shown", "decisions", "sources", "dropped", "flaky"):
        for number, (name, times) in enumerate(found[title].items()):
            table.add_row(title if number == 0 else "", Text(name[:12] if title == "environments" else name), str(times))
    _print_table(table, output)
    if found["offers"]:
        output.say(f"{found['offers']} offers, {found['seen']} of them seen")
    if found["maps"]:
        output.say(f"{found['maps']} maps of which tests ran what")
    output.say(f"{found['prompt_tokens']} prompt tokens, {found['completion_tokens']} generated tokens, {found['seconds']:.0f} s")
    output.say(f"{short(path)}: {in_bytes(found['bytes_on_disk'])} on disk, {in_bytes(found['bytes_unpacked'])} unpacked")


def show_list(lines: tuple[Line, ...], output: Output) -> None:
    """Episodes, one a line."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    titles = (
        "id",
        "when",
        "check",
        "outcome",
        "change",
        "steps",
        "seconds",
        "workspace",
        *(("problem", "policy", "tokens") if output.verbose else ()),
    )
    for title in titles:
        table.add_column(title, justify="right" if title in ("steps", "tokens", "seconds") else "left", no_wrap=True)
    for line in lines:
        more = (line.problem, Text(line.policy), str(line.prompt_tokens + line.completion_tokens)) if output.verbose else ()
        table.add_row(
            line.id,
            _when(line.created),
            Text(line.check),
            Text(line.outcome, style=STYLES[line.outcome]),
            f"+{line.added} -{line.removed}" if line.files else "",
            str(line.steps),
            f"{line.seconds:.1f}",
            Text(Path(line.workspace).name),
            *more,
        )
    _print_table(table, output)


def show_flaky(found: tuple[Listed, ...], days: int, output: Output) -> None:
    """Tests in quarantine, one a line; an expired one says so."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in ("test", "check", "kind", "failed", "first seen", "last seen", "under", "workspace"):
        table.add_column(title, justify="right" if title == "failed" else "left", no_wrap=True)
    for each in found:
        entry = each.test
        expired = entry.last_seen + days * 86_400 < dt.datetime.now(dt.UTC).timestamp()
        under = [name for name, count in entry.by.items() if count[1]]
        table.add_row(
            Text(entry.test or f"{entry.test_hash[:12]} (its name is not kept)"),
            Text(entry.check),
            entry.kind,
            f"{entry.failures}/{entry.runs}",
            _when(entry.first_seen),
            f"{_when(entry.last_seen)}{' (expired)' if expired else ''}",
            Text(", ".join(under[:3]) + (f" and {len(under) - 3} more" if len(under) > 3 else "")),
            Text(Path(each.workspace).name),
        )
    _print_table(table, output)
    output.say(f"{len(found)} tests in quarantine; each for {days} days after it was last seen to flip, and until its file changes")


def _print_table(table: Table, output: Output) -> None:
    """Cut to the terminal's width, but never cut where there is no terminal."""
    if not output.console.is_terminal:
        output.console.width = WIDTH
    output.console.print(table)


def show_record(record: Record, output: Output) -> None:
    """Everything that is kept of an episode."""
    line = record.line
    output.say(f"{line.outcome}{f': {line.reason}' if line.reason else ''}", style=STYLES[line.outcome])
    output.say(f"episode {line.id}, {_when(line.created)}; problem {line.problem}, check {line.check}, in {line.workspace}")
    output.say(
        f"policy {line.policy}; seed {record.seed}; {', '.join(f'{name} {value}' for name, value in record.versions.items() if value)}"
    )
    output.say(f"environment {line.environment[:12]}, harness {line.harness[:12]}")
    output.say(f"{line.steps} steps, {line.prompt_tokens} prompt tokens, {line.completion_tokens} generated tokens, {line.seconds:.1f} s")
    for finding in record.findings or ():
        output.say(f"  {finding['path']}: {finding.get('message', '').partition(chr(10))[0]}")
    _show_course(record, output)
    _show_conversation(record, output)
    if record.verdict:
        passed = "passed" if record.verdict["passed"] else f"refused: {record.verdict.get('reason', '')}"
        output.say(f"verdict {passed} after {record.verdict.get('reruns', 0)} runs", style="bold")
    if record.diff:
        output.say("patch" + (" (secrets were taken out: for reading only)" if record.redacted else ""), style="bold")
        output.say(record.diff.rstrip("\n"))
    for offer in record.offers:
        _show_offer(offer, output)


def _show_course(record: Record, output: Output) -> None:
    """What the outer loop did, one line an episode, and what a judge said."""
    if record.course is None:
        return
    for number, step in enumerate(record.course.steps, 1):
        candidate = f", shown the fix of {step.candidate}" if step.candidate else ""
        output.say(f"step {number}: {step.outcome}, attempt {step.attempt + 1}{candidate}, {step.seconds:.1f} s", style="bold")
        output.say(f"  main error: {step.error}")
        output.say(f"  chosen because {step.why}")
        if step.reason:
            kept = f" (kept: {', '.join(step.paths)})" if step.paths else ""
            output.say(f"  {step.seen or 'ended'}: {step.reason}{kept}")
    for judgement in record.course.judged:
        output.say(f"judge: {'accepted' if judgement.accepted else 'refused'}{f': {judgement.reason}' if judgement.reason else ''}")


def _show_offer(offer: Offer, output: Output) -> None:
    shown = f" by {offer.shown}" if offer.shown else ""
    seen = f", seen {_when(offer.seen)}" if offer.seen else ""
    output.say(f"offer {offer.id}, shown{shown} {_when(offer.created)}{seen}: " + ("" if offer.decisions else "no decision yet"))
    for decision in offer.decisions:
        output.say(f"  {_decision(decision)}")
    for left in offer.survivals:
        output.say(f"  {left.moment}: {left.kept} of {left.tokens} tokens left")


def _decision(decision: Decision) -> str:
    after = f" after {decision.latency:.1f} s" if decision.latency is not None else ""
    inferred = " (inferred)" if decision.source == "inferred" else ""
    return f"{decision.kind}{after}{inferred}{f': {decision.reason}' if decision.reason else ''}"


def _show_conversation(record: Record, output: Output) -> None:
    """One line a request; with -v every message once, in the order in which they were said."""
    if record.conversation is None:
        return
    shown: set[int] = set()
    for number, turn in enumerate(record.conversation.turns, 1):
        to = " to the judge" if turn.by == "judge" else ""
        output.say(f"request {number}{to}: {turn.prompt_tokens} + {turn.completion_tokens} tokens, {turn.seconds:.1f} s", style="bold")
        for index in turn.messages:
            if output.verbose and index not in shown:
                message = record.conversation.messages[index]
                output.say(f"[{message.role}]", style="cyan")
                output.say(message.content)
            shown.add(index)
        for choice in turn.choices:
            calls = ", ".join(call.name for call in choice.tool_calls)
            text = turn.prefill + choice.text
            output.say(f"  {calls or _first_line(text)}" if not output.verbose else f"[answer]\n{text}{calls and f'{chr(10)}-> {calls}'}")


def _first_line(text: str) -> str:
    return next((line.strip()[:100] for line in text.splitlines() if line.strip()), "")


def _when(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def in_bytes(count: int) -> str:
    """A size as people read it."""
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1000:.1f} kB"


def short(path: Path) -> str:
    """A path with the home folder as `~`."""
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
