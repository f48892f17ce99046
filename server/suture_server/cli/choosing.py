"""Options that choose what of the journal a dataset is made of, for `suture journal export` and `suture train --from-journal`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from suture_server.cli.journal_open import When

T = TypeVar("T", bound=Callable[..., Any])

CHOICES: tuple[Callable[..., Any], ...] = (
    click.option("--environment", default="", metavar="ID", help="Only this environment: the beginning of its identity."),
    click.option("--harness", default="", metavar="ID", help="Only this harness: the beginning of its identity, or its preset's name."),
    click.option(
        "--policy", "policies", multiple=True, metavar="NAME|ID", help="Only of this policy, such as a teacher; may be given several times."
    ),
    click.option(
        "--since", type=When(), metavar="DAY|AGE", help="Only what was recorded since a day (2026-05-01), or for the last 30d or 12h."
    ),
    click.option("--workspace", type=click.Path(path_type=Path), metavar="PATH", help="Only of this workspace."),
    click.option(
        "--allow-mismatch", "allowed", multiple=True, metavar="FIELD", help="Mix rows that differ in this field; the card says so."
    ),
    click.option(
        "--held-out", type=click.Path(path_type=Path, file_okay=False), metavar="TASKS", help="Task set whose held-out tasks must not leak."
    ),
)
NAMES = ("environment", "harness", "policies", "since", "workspace", "allowed", "held_out")


def choosing(command: T) -> T:
    """Give a command these options."""
    for option in reversed(CHOICES):
        command = option(command)
    return command


def choice_of(given: dict[str, Any]) -> dict[str, Any]:
    """Take these options out of what was given: fields of `data.export.Wanted`, a workspace by its whole path."""
    from suture_agent.places import expanded

    taken = {name: given.pop(name) for name in NAMES}
    workspace = taken["workspace"]
    root = expanded(str(workspace), "--workspace").resolve() if workspace else None
    return {**taken, "since": taken["since"] or 0.0, "workspace": root}
