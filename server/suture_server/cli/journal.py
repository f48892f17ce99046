"""`suture journal stats | list | show | erase`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from suture_server.cli.common import Output, options

if TYPE_CHECKING:
    from rich.table import Table

    from suture_agent.journal.queries import Line, Record
    from suture_agent.journal.store import Journal
    from suture_agent.settings import Settings

STYLES = {"fixed": "green", "unfixed": "red", "infrastructure": "magenta", "cancelled": "yellow"}
WIDTH = 200
"""Columns of a table that does not go to a terminal."""
OUTCOMES = click.Choice(["fixed", "unfixed", "infrastructure", "cancelled"])


class When(click.ParamType[float]):
    """A day such as 2026-05-01 (its beginning, local time), or an age such as 30d or 12h."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401  # click's signature
        """Seconds since 1970."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            if age := re.fullmatch(r"(\d{1,5})([dh])", text):
                hours = int(age[1]) * (24 if age[2] == "d" else 1)
                return (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)).timestamp()
            return dt.datetime.fromisoformat(text).astimezone().timestamp()
        except (ValueError, OverflowError):
            self.fail(f"{text!r} is neither a day such as 2026-05-01 nor an age such as 30d or 12h", param, ctx)


@click.group()
def journal() -> None:
    """Look at the local record of problems, episodes and verdicts, and erase it.

    It lies in your data folder, only you can read it, secrets are taken out before anything is written, and it never leaves the machine.
    """


@journal.command()
@options
def stats(output: Output) -> int:
    r"""Count what is kept, and check that the file is sound. Exit code 1 when it is not.

    \b
    Example:
      suture journal stats
    """
    import msgspec

    from suture_agent.journal import queries

    with _opened(output) as kept:
        if kept is None:
            return 0
        found, wrong = queries.stats(kept), kept.check()
    output.line({"event": "summary", "sound": not wrong, "wrong": wrong, **msgspec.to_builtins(found), "path": _short(kept.path)})
    if not output.json:
        _show_stats(msgspec.to_builtins(found), kept.path, output)
    for line in wrong:
        output.say(f"damaged: {line}", style="red")
    return 1 if wrong else 0


@journal.command("list")
@click.option("-n", "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="How many, newest first.")
@click.option("--outcome", type=OUTCOMES, help="Only with this outcome.")
@click.option("--check", metavar="NAME", help="Only of this check.")
@click.option("--workspace", type=click.Path(path_type=Path), metavar="PATH", help="Only of this workspace.")
@options
def list_(output: Output, limit: int, outcome: str | None, check: str | None, workspace: Path | None) -> int:
    r"""List the latest episodes.

    \b
    Examples:
      suture journal list
      suture journal list --outcome unfixed --workspace . --json
    """
    import msgspec

    from suture_agent.journal import queries
    from suture_agent.places import expanded

    with _opened(output) as kept:
        if kept is None:
            return 0
        root = expanded(str(workspace), "--workspace").resolve() if workspace else None
        lines = queries.recent(kept, limit=limit, outcome=outcome, check=check, workspace=root)
    for line in lines:
        output.line({"event": "episode", **msgspec.to_builtins(line)})
    output.line({"event": "summary", "episodes": len(lines)})
    if not output.json:
        _show_list(lines, output)
    return 0


@journal.command()
@click.argument("identifier", metavar="ID")
@options
def show(identifier: str, output: Output) -> int:
    r"""Show the whole record of an episode; ID is the beginning of its identifier, or of a problem's. -v shows every message.

    \b
    Examples:
      suture journal show 06bx4t
      suture journal show 06bx4t --json
    """
    import msgspec

    from suture_agent.journal import queries

    with _opened(output) as kept:
        if kept is None:
            raise click.UsageError("the journal is empty")
        try:
            record = queries.show(kept, identifier)
        except queries.NoSuchRecord as error:
            raise click.UsageError(f"{error}; {error.remedy}") from error
    output.line({"event": "summary", **msgspec.to_builtins(record)})
    if not output.json:
        _show_record(record, output)
    return 0


@journal.command()
@click.option("--all", "everything", is_flag=True, help="Everything.")
@click.option("--workspace", type=click.Path(path_type=Path), metavar="PATH", help="What was recorded for this workspace.")
@click.option("--before", type=When(), metavar="DAY|AGE", help="What was recorded before a day (2026-05-01), or is older than 30d or 12h.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@options
def erase(output: Output, everything: bool, workspace: Path | None, before: float | None, yes: bool) -> int:
    r"""Erase records for good: overwritten in the file, which is then shrunk; copies made before migrations go too.

    \b
    Examples:
      suture journal erase --workspace ~/src/shop
      suture journal erase --before 90d
      suture journal erase --all --yes
    """
    if everything == (workspace is not None or before is not None):
        raise click.UsageError("say what to erase: --all, or --workspace and --before, which may be combined")
    import msgspec

    from suture_agent.journal import erase as erasing
    from suture_agent.places import expanded

    with _opened(output) as kept:
        if kept is None:
            return 0
        root = expanded(str(workspace), "--workspace").resolve() if workspace else None
        found = erasing.count(kept, workspace=root, before=before)
        if not yes and not click.confirm(f"Erase {found} episodes for good?", err=True):
            output.note("nothing was erased")
            output.line({"event": "summary", "episodes": 0, "problems": 0, "backups": 0, "bytes_freed": 0})
            return 0
        erased = erasing.erase(kept, workspace=root, before=before)
    output.line({"event": "summary", **msgspec.to_builtins(erased)})
    output.say(f"erased {erased.episodes} episodes of {erased.problems} problems; {_bytes(erased.bytes_freed)} freed", style="green")
    return 0


@contextmanager
def _opened(output: Output) -> Generator[Journal | None, None, None]:
    """The journal that the settings name, or None where nothing was recorded yet; looking at it does not make it."""
    from suture_agent.journal.store import Journal
    from suture_agent.workspace import journal_path

    settings = _settings()
    path = journal_path(settings)
    if not path.exists() and not path.is_symlink():
        off = ", and the settings switch it off" if settings.journal.level == "off" else ""
        output.note(f"nothing is recorded yet: there is no {_short(path)}{off}")
        output.line({"event": "summary", "episodes": 0})
        yield None
        return
    kept = Journal.open(path)
    try:
        yield kept
    finally:
        kept.close()


def _settings() -> Settings:
    import os

    from suture_agent.places import user_configuration
    from suture_agent.settings import load
    from suture_server.cli.common import workspace_root

    return load(workspace_root(None), user_file=user_configuration(), environ=os.environ).settings


def _show_stats(found: Mapping[str, Any], path: Path, output: Output) -> None:
    from rich.table import Table
    from rich.text import Text

    output.say(f"{found['episodes']} episodes of {found['problems']} problems in {found['runs']} runs", style="bold")
    table = Table(box=None, show_header=False, pad_edge=False)
    for title in ("outcomes", "checks", "policies", "environments", "decisions"):
        for number, (name, times) in enumerate(found[title].items()):
            table.add_row(title if number == 0 else "", Text(name[:12] if title == "environments" else name), str(times))
    _print_table(table, output)
    output.say(f"{found['prompt_tokens']} prompt tokens, {found['completion_tokens']} generated tokens, {found['seconds']:.0f} s")
    output.say(f"{_short(path)}: {_bytes(found['bytes_on_disk'])} on disk, {_bytes(found['bytes_unpacked'])} unpacked")


def _show_list(lines: tuple[Line, ...], output: Output) -> None:
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


def _print_table(table: Table, output: Output) -> None:
    """Cut to the terminal's width, but never cut where there is no terminal."""
    if not output.console.is_terminal:
        output.console.width = WIDTH
    output.console.print(table)


def _show_record(record: Record, output: Output) -> None:
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
    _show_conversation(record, output)
    if record.verdict:
        passed = "passed" if record.verdict["passed"] else f"refused: {record.verdict.get('reason', '')}"
        output.say(f"verdict {passed} after {record.verdict.get('reruns', 0)} runs", style="bold")
    if record.diff:
        output.say("patch" + (" (secrets were taken out: for reading only)" if record.redacted else ""), style="bold")
        output.say(record.diff.rstrip("\n"))
    for offer in record.offers:
        output.say(f"offer {offer.id}: " + (", ".join(decision.kind for decision in offer.decisions) or "no decision yet"))


def _show_conversation(record: Record, output: Output) -> None:
    """One line a request; with -v every message once, in the order in which they were said."""
    if record.conversation is None:
        return
    shown: set[int] = set()
    for number, turn in enumerate(record.conversation.turns, 1):
        output.say(f"request {number}: {turn.prompt_tokens} + {turn.completion_tokens} tokens, {turn.seconds:.1f} s", style="bold")
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


def _bytes(count: int) -> str:
    return f"{count / 1_000_000:.1f} MB" if count >= 100_000 else f"{count / 1000:.1f} kB"


def _short(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
