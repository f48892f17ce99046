"""The commands by name. They are files beside this one, loaded when they are called: `suture --help` loads none of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

COMMANDS: Mapping[str, tuple[str, str]] = {
    "check": ("suture_server.cli.check:check", "Run the workspace's checks in the pinned sandbox and show what they find."),
    "fix": ("suture_server.cli.fix:fix", "Repair what fails; show, write or apply the proven patches."),
    "lsp": ("suture_server.cli.lsp:lsp", "Run the language server that editors start."),
    "env": ("suture_server.cli.env:env", "Pin the environment, show its identity, say what drifted."),
    "model": ("suture_server.cli.model:model", "List, fetch and serve policies."),
    "train": ("suture_server.cli.train:train", "Train an adapter, and plan what it takes."),
    "adapter": ("suture_server.cli.adapter:adapter", "List, show, use and drop the adapters on this machine."),
    "journal": ("suture_server.cli.journal:journal", "Look at the local record of problems, episodes and verdicts."),
    "tasks": ("suture_server.cli.tasks:tasks", "Build repair tasks from a workspace, and look at task sets."),
    "eval": ("suture_server.cli.evaluate:evaluate", "Measure policies; the matrix of trained in x tested in; what a mismatch costs."),
    "report": ("suture_server.cli.report:report", "One self-contained HTML page about a training run, an evaluation or a matrix."),
    "doctor": ("suture_server.cli.doctor:doctor", "Say what works on this machine, what does not, and the command that mends it."),
}
"""Name -> (where it is, the line that `suture --help` shows)."""


class LazyGroup(click.Group):
    """A group that imports a command when it is called and knows its help line without."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """All commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's signature
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's signature
        """Write the table's lines; importing every command for its help would cost more than everything else."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with the nearest valid name where there is no such command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1) if args else []
            if not close:
                raise
            raise click.UsageError(f"{error.message} Did you mean {close[0]!r}?", ctx) from error


def as_written(command: F) -> F:
    r"""Have click keep the lines below a `\b` as they are: it looks for the control character, and a raw docstring has two others."""
    command.__doc__ = (command.__doc__ or "").replace("\\b\n", "\b\n")
    return command


def _print_version(ctx: click.Context, _parameter: click.Parameter, value: bool) -> None:  # click's signature
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"suture {version('suture')}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version and exit.")
@as_written
def cli() -> None:
    r"""Repair failing checks with a locally hosted policy. A fix is shown only after a pinned sandbox has proven it.

    \b
    Start here:
      suture doctor         what works on this machine
      suture check          what fails in this workspace
      suture fix --diff     repair it and show the proven diff
    """
