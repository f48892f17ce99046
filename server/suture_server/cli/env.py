"""`suture env lock | show | verify | diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from suture_server.cli.common import Output, options, run_async, workspace_root

if TYPE_CHECKING:
    from suture_agent.workspace import Workspace
    from suture_sandbox.environment import EnvironmentFields
    from suture_sandbox.identity import Difference


@click.group()
def env() -> None:
    """Pin the environment in which fixes are proven, and compare it.

    The environment is everything that decides a check's result: toolchain, dependencies, system, variables, isolation, checks.
    """


@env.command()
@click.argument("path", required=False)
@options
def lock(path: str | None, output: Output) -> int:
    r"""Write suture.lock: the environment's identity and every field it is computed from.

    \b
    Example:
      suture env lock
    """
    return run_async(_lock(path, output))


@env.command()
@click.argument("path", required=False)
@options
def show(path: str | None, output: Output) -> int:
    r"""Print the environment's identity and its fields.

    \b
    Examples:
      suture env show
      suture env show --json
    """
    return run_async(_show(path, output))


@env.command()
@click.argument("path", required=False)
@options
def verify(path: str | None, output: Output) -> int:
    r"""Compare what is installed with suture.lock and name what drifted. Exit code 1 when something did.

    \b
    Example:
      suture env verify
    """
    return run_async(_verify(path, output))


@env.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@options
def diff(before: str, after: str, output: Output) -> int:
    r"""Compare two environments, each a lock file of any name or a folder that holds suture.lock. Exit code 1 when they differ.

    \b
    Example:
      suture env diff ../release/suture.lock suture.lock
    """
    from suture_sandbox.identity import identity_of
    from suture_sandbox.lockfile import verify as compare

    left, right = _locked(before), _locked(after)
    return _report(compare(left, right), (identity_of(left), identity_of(right)), output, same="the two environments are the same")


def _locked(name: str) -> EnvironmentFields:
    from suture_sandbox.errors import LockError
    from suture_sandbox.lockfile import NAME, parse, read_lock

    path = Path(name)
    if path.is_dir() or path.name == NAME:
        return read_lock(path if path.is_dir() else path.parent)
    try:
        return parse(path.read_text(encoding="utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        raise LockError(f"{name} cannot be read: {error}", remedy="give a lock file, or a folder that holds one") from error


async def _open(path: str | None, output: Output) -> Workspace:
    from suture_agent.workspace import open_workspace

    return await open_workspace(workspace_root(path), progress=output.note)


async def _lock(path: str | None, output: Output) -> int:
    from suture_sandbox.lockfile import write_lock

    workspace = await _open(path, output)
    environment = workspace.sandbox.environment
    written = write_lock(workspace.root, environment)
    output.line({"event": "summary", "environment": environment.identity, "path": written.name})
    output.say(
        f"wrote {written.name}: environment {environment.identity[:12]}, {len(environment.fields.dependencies)} packages", style="green"
    )
    return 0


async def _show(path: str | None, output: Output) -> int:
    import msgspec

    from suture_sandbox.lockfile import render

    workspace = await _open(path, output)
    environment = workspace.sandbox.environment
    output.line({"event": "summary", "environment": environment.identity, "fields": msgspec.to_builtins(environment.fields)})
    output.say(render(environment.fields).rstrip("\n"))
    for note in environment.runtime.notes:
        output.note(f"note: {note}")
    return 0


async def _verify(path: str | None, output: Output) -> int:
    from suture_sandbox.identity import identity_of
    from suture_sandbox.lockfile import read_lock
    from suture_sandbox.lockfile import verify as compare

    root = workspace_root(path)
    locked = read_lock(root)
    present = (await _open(path, output)).sandbox.environment
    drift = compare(locked, present.fields)
    return _report(drift, (identity_of(locked), present.identity), output, same="the environment is the one in suture.lock")


def _report(drift: tuple[Difference, ...], identities: tuple[str, str], output: Output, *, same: str) -> int:
    from suture_sandbox.lockfile import sentences

    for difference in drift:
        output.line({"event": "difference", "field": difference.field, "before": difference.before, "after": difference.after})
    output.line({"event": "summary", "differences": len(drift), "before": identities[0], "after": identities[1]})
    if not drift:
        output.say(f"{same} ({identities[0][:12]})", style="green")
    for sentence in sentences(drift):
        output.say(sentence, style="yellow")
    return 1 if drift else 0
