"""`suture journal export | import`: datasets for training, and episodes that travel to another machine."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from suture_server.cli.choosing import choice_of, choosing
from suture_server.cli.common import Output, options
from suture_server.cli.journal_open import opened, settings
from suture_server.cli.journal_view import in_bytes, short

KINDS = click.Choice(["sft", "kto", "dpo", "records"])
SOURCES = click.Choice(["proven", "accepted", "rejected", "corrections"])
Told = Callable[[int, int], None]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), metavar="DIR")
@click.option(
    "--kind", type=KINDS, default="sft", show_default=True, help="What for; records: to be taken in by another machine's journal."
)
@click.option(
    "--source", "sources", multiple=True, type=SOURCES, help="What of: proven (sft), accepted and rejected (kto), corrections (dpo)."
)
@choosing
@click.option("--format", "fmt", type=click.Choice(["parquet", "jsonl"]), default="parquet", show_default=True, help="Of the files.")
@click.option("--near", type=click.Choice(["off", "conversation", "patch"]), default="patch", show_default=True, help="What repeats a row.")
@click.option("--alike", type=click.IntRange(1), default=1, show_default=True, help="Rows of one workspace and check with the same patch.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order of preferences.")
@click.option(
    "--sign", "key", type=click.Path(path_type=Path, exists=True, dir_okay=False), metavar="KEY", help="Sign records with this SSH key."
)
@options
def export(folder: Path, output: Output, kind: str, **given: Any) -> int:  # noqa: ANN401  # click's
    r"""Make a dataset of what is recorded, or a bundle of records for another machine.

    A dataset has one environment and one harness: choose them where there are several. Its folder holds the rows, a card (README.md,
    card.html) and summary.json; datasets.load_dataset reads it as it is. Needs suture[train].

    \b
    Examples:
      suture journal export fixes
      suture journal export lessons --policy qwen3-32b --since 30d --environment 8f2c
      suture journal export decisions --kind kto
      suture journal export for-the-team --kind records --sign ~/.ssh/id_ed25519
    """
    from suture_agent.journal.queries import NoSuchRecord

    if (kind == "records") < (given["key"] is not None):
        raise click.UsageError("--sign is for --kind records")
    chosen = {**choice_of(given), **given}
    with opened(output) as kept:
        if kept is None:
            return 0
        make = _records if kind == "records" else _dataset
        try:
            with _progress(output) as told:
                summary = make(kept.path, folder, kind=kind, told=told, **chosen)
        except NoSuchRecord as error:
            raise click.UsageError(f"{error}; {error.remedy}") from error
    output.line({"event": "summary", "folder": str(folder), **summary})
    if not output.json:
        _show(folder, summary, output)
    return 0


@click.command("import")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), metavar="DIR")
@click.option(
    "--signers",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Who may have signed it: NAME KEY lines.",
)
@click.option("--unsigned", is_flag=True, help="Take it without looking at a signature.")
@options
def import_(folder: Path, output: Output, signers: Path | None, unsigned: bool) -> int:
    r"""Take in records that another machine exported. They can be looked at and trained on; nothing here is fixed or offered by them.

    FILE has the form of SSH's allowed signers: a name, then the public key, a line each.

    \b
    Examples:
      suture journal import for-the-team --signers ~/.config/suture/signers
      suture journal import from-my-laptop --unsigned
    """
    import msgspec

    from suture_agent.journal.receiving import receive
    from suture_agent.journal.store import Journal
    from suture_agent.workspace import journal_path

    if (signers is None) == (not unsigned):
        raise click.UsageError("say who may have signed it with --signers FILE, or that you trust it anyway with --unsigned")
    if settings().journal.level == "off":
        raise click.UsageError("the settings switch the journal off: journal.level")
    journal = Journal.open(journal_path(settings()))
    try:
        with _progress(output) as told:
            found = receive(journal, folder, signers=signers, told=told)
    finally:
        journal.close()
    output.line({"event": "summary", **msgspec.to_builtins(found)})
    by = f", signed by {found.signer}" if found.signer else ", unsigned"
    secrets = f"; secrets were still in {found.redacted}, and are out now" if found.redacted else ""
    output.say(f"took in {found.episodes} episodes{by}; {found.known} were there already{secrets}", style="green")
    return 0


def _records(
    path: Path,
    folder: Path,
    *,
    since: float,
    workspace: Path | None,
    key: Path | None,
    told: Told,
    **chosen: Any,  # noqa: ANN401  # click's
) -> dict[str, Any]:
    """A bundle; only what chooses episodes counts."""
    import msgspec

    from suture_agent.journal.bulk import Choice, Reader, named
    from suture_agent.journal.sending import send

    choice = Choice(since=since, workspace=workspace)
    with Reader(path) as reader:
        used = reader.used(choice)
    choice = msgspec.structs.replace(
        choice,
        environments=named(used, "environment", [chosen["environment"]]),
        harnesses=named(used, "harness", [chosen["harness"]]),
        policies=named(used, "policy", chosen["policies"]),
    )
    manifest = send(path, folder, choice, key=key, told=told)
    return {"kind": "records", **msgspec.to_builtins(manifest), "signed": key is not None}


def _dataset(path: Path, folder: Path, *, kind: str, told: Told, key: None, **chosen: Any) -> dict[str, Any]:  # noqa: ANN401, ARG001  # click's
    """A dataset. The training floor is named as text and imported here: the floors do not know each other."""
    from suture_sandbox.errors import ConfigurationError

    try:
        make = importlib.import_module("suture_training.data.export").from_options
        summary: dict[str, Any] = make(path, folder, kind=kind, told=told, **chosen)
    except ModuleNotFoundError as error:
        raise ConfigurationError(f"{error.name} is not installed", remedy="pip install 'suture[train]'") from error
    return summary


def _show(folder: Path, summary: dict[str, Any], output: Output) -> None:
    """What was made, for people."""
    if summary["kind"] == "records":
        output.say(f"{summary['episodes']} episodes in {short(folder)}{', signed' * summary['signed']}", style="green")
        return
    size = sum(shard["bytes"] for shard in summary["shards"])
    output.say(f"{summary['figures']['rows']} rows ({summary['kind']}) in {short(folder)}, {in_bytes(size)}", style="green")
    identity = summary["identity"]
    output.say(f"  environment {identity['environment'][:12]}, harness {identity['harness'][:12]}, digest {summary['digest'][:12]}")
    for each in identity["admitted"]:
        output.say(f"  mixed knowingly: {each['field']}, {each['rows']} rows of {each['identity'][:12]}", style="yellow")
    for reason, count in summary["left_out"].items():
        output.say(f"  left out: {count} ({reason})", style="dim")
    output.say(f"  the card: {short(folder / 'card.html')}")


@contextmanager
def _progress(output: Output) -> Generator[Told, None, None]:
    """Hears how far it is; a bar where people look."""
    if output.quiet or not output.progress.is_terminal:
        yield lambda _done, _total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=output.progress, transient=True) as bar:
        task = bar.add_task("episodes", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
