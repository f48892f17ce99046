"""`suture journal stats | list | show | flaky | erase`; `export` and `import` are in `journal_export`."""

from __future__ import annotations

from pathlib import Path

import click

from suture_server.cli.common import Output, options
from suture_server.cli.journal_export import export, import_
from suture_server.cli.journal_open import When, opened, settings
from suture_server.cli.journal_view import in_bytes, short, show_flaky, show_list, show_record, show_stats

OUTCOMES = click.Choice(["fixed", "unfixed", "infrastructure", "cancelled"])


@click.group()
def journal() -> None:
    """Look at the local record of problems, episodes and verdicts, make datasets of it, and erase it.

    It lies in your data folder, only you can read it, secrets are taken out before anything is written, and it stays on the machine unless
    you export it and take that elsewhere.
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

    with opened(output) as kept:
        if kept is None:
            return 0
        found, wrong = queries.stats(kept), kept.check()
    output.line({"event": "summary", "sound": not wrong, "wrong": wrong, **msgspec.to_builtins(found), "path": short(kept.path)})
    if not output.json:
        show_stats(msgspec.to_builtins(found), kept.path, output)
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

    with opened(output) as kept:
        if kept is None:
            return 0
        root = expanded(str(workspace), "--workspace").resolve() if workspace else None
        lines = queries.recent(kept, limit=limit, outcome=outcome, check=check, workspace=root)
    for line in lines:
        output.line({"event": "episode", **msgspec.to_builtins(line)})
    output.line({"event": "summary", "episodes": len(lines)})
    if not output.json:
        show_list(lines, output)
    return 0


@journal.command()
@click.option("--workspace", type=click.Path(path_type=Path), metavar="PATH", help="Only of this workspace.")
@options
def flaky(output: Output, workspace: Path | None) -> int:
    r"""List the tests in quarantine: seen to pass and fail on one text, they decide nothing until the entry expires.

    An entry expires after verdict.quarantine_days, or when the test's file changes; suture journal erase removes it at once.

    \b
    Examples:
      suture journal flaky
      suture journal flaky --workspace . --json
    """
    import msgspec

    from suture_agent.journal import quarantine
    from suture_agent.places import expanded

    with opened(output) as kept:
        if kept is None:
            return 0
        root = expanded(str(workspace), "--workspace").resolve() if workspace else None
        found = quarantine.listed(kept, workspace=root)
    days = settings().verdict.quarantine_days
    for each in found:
        entry = each.test
        line = {"workspace": each.workspace, "environment": each.environment, **msgspec.to_builtins(entry)}
        output.line({"event": "flaky", **line, "runs": entry.runs, "failures": entry.failures, "expires": entry.last_seen + days * 86_400})
    output.line({"event": "summary", "flaky": len(found)})
    if not output.json:
        show_flaky(found, days, output)
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

    with opened(output) as kept:
        if kept is None:
            raise click.UsageError("the journal is empty")
        try:
            record = queries.show(kept, identifier)
        except queries.NoSuchRecord as error:
            raise click.UsageError(f"{error}; {error.remedy}") from error
    output.line({"event": "summary", **msgspec.to_builtins(record)})
    if not output.json:
        show_record(record, output)
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

    with opened(output) as kept:
        if kept is None:
            return 0
        root = expanded(str(workspace), "--workspace").resolve() if workspace else None
        found = erasing.count(kept, workspace=root, before=before)
        if not yes and not click.confirm(f"Erase {found} episodes for good, and what is known of flaky tests?", err=True):
            output.note("nothing was erased")
            output.line({"event": "summary", "episodes": 0, "problems": 0, "maps": 0, "backups": 0, "bytes_freed": 0})
            return 0
        erased = erasing.erase(kept, workspace=root, before=before)
    output.line({"event": "summary", **msgspec.to_builtins(erased)})
    more = (f"{erased.flaky} flaky tests" * bool(erased.flaky), f"{erased.maps} maps of which tests ran what" * bool(erased.maps))
    also = "".join(f" and {each}" for each in more if each)
    output.say(
        f"erased {erased.episodes} episodes of {erased.problems} problems{also}; {in_bytes(erased.bytes_freed)} freed", style="green"
    )
    return 0


journal.add_command(export)
journal.add_command(import_)
