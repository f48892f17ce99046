"""The error boundary of the command line: every error becomes a message and an exit code.

0 all well, 1 problems remain, 2 usage or configuration error, 3 infrastructure failed, 130 interrupted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from suture_agent.errors import AgentFloorError
    from suture_sandbox.errors import SandboxFloorError

USAGE, INFRASTRUCTURE, INTERRUPTED = 2, 3, 130


def run(command: click.Command) -> int:
    """Run a click command and return the exit code."""
    try:
        result = command.main(standalone_mode=False)
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # click exits by itself, with 1, when nobody reads what it prints
        _silence()
        return INTERRUPTED
    except Exception as error:
        code = _known(error)
        if code is None:
            raise
        return code
    return result if isinstance(result, int) else 0


def _known(error: Exception) -> int | None:
    """Print one of suture's own errors and return its exit code; None for a stranger, whose traceback is worth seeing."""
    from suture_agent.errors import AdapterError, AgentFloorError, SettingsError
    from suture_sandbox.errors import ConfigurationError, PatchError, SandboxFloorError

    if not isinstance(error, AgentFloorError | SandboxFloorError):
        return None
    explain(error)
    return USAGE if isinstance(error, AdapterError | SettingsError | ConfigurationError | PatchError) else INFRASTRUCTURE


def explain(error: AgentFloorError | SandboxFloorError) -> None:
    """Say what happened, and what to do about it."""
    click.echo(f"error: {error}", err=True)
    if error.remedy:
        click.echo(f"  try: {error.remedy}", err=True)


def _silence() -> None:
    """The reader of stdout or stderr is gone: keep Python from complaining when it flushes at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(null, descriptor)
