"""`suture doctor`."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from suture_server.cli.common import Output, options, run_async, workspace_root

_MOST_DETAILS = 10


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    good: bool
    says: str
    """What was found, one line."""
    remedy: str = ""
    """The command or setting that mends it."""
    details: tuple[str, ...] = ()
    """Shown with -v, and always where something is wrong."""
    needed: bool = True
    """Whether suture cannot repair anything without it; else the thing is optional."""


@click.command()
@click.argument("path", required=False)
@click.option("--schema", "wants_schema", is_flag=True, help="Print the JSON schema of the settings, and look at nothing.")
@options
def doctor(path: str | None, wants_schema: bool, output: Output) -> int:
    r"""Say what works on this machine, what does not, and the command that mends it; show every setting and where it came from.

    Files whose names look secret (.env, *.pem, *.key and the like) appear empty to checks. Where tests ship such files, name them in
    pyproject.toml or suture.toml: [tool.suture.sandbox] unmask = ["tests/certs/*.pem"].
    Your own file can allow fewer, or none: unmask = [].

    Exit code 1 when something that suture needs does not work.

    \b
    Examples:
      suture doctor
      suture doctor -v ~/src/shop
      suture doctor --schema > settings.schema.json
    """
    if wants_schema:
        return _print_schema()
    return run_async(_doctor(path, output))


def _print_schema() -> int:
    from suture_agent.settings import schema

    click.echo(msgspec.json.format(msgspec.json.encode(schema()), indent=2))
    return 0


async def _doctor(path: str | None, output: Output) -> int:
    root = workspace_root(path)
    reports: list[Report] = []
    for name, look in EXAMINATIONS.items():
        report = await _examined(name, look, root)
        reports.append(report)
        output.line({"event": "examined", **msgspec.to_builtins(report)})
        _show(report, output)
    settings = _settings(root)
    for key, (value, origin) in settings.items():
        output.line({"event": "setting", "key": key, "value": value, "origin": origin})
    _show_settings(settings, output)
    bad = [report for report in reports if not report.good and report.needed]
    output.line({"event": "summary", "good": len(reports) - len(bad), "bad": len(bad)})
    return 1 if bad else 0


async def _examined(name: str, look: Callable[[Path], Awaitable[Report]], root: Path) -> Report:
    """One examination; an error of suture's own is what was found, with its remedy."""
    from suture_agent.errors import AgentFloorError
    from suture_sandbox.errors import SandboxFloorError

    try:
        return await look(root)
    except (AgentFloorError, SandboxFloorError) as error:
        return Report(name=name, good=False, says=str(error), remedy=error.remedy)


async def _sandbox(root: Path) -> Report:
    from suture_agent.images import backend_of
    from suture_agent.settings import load

    backend = backend_of(load(root, user_file=_user_file(), environ=os.environ).settings)
    try:
        probe = await backend.probe()
    finally:
        await backend.close()
    details = (*(f"contains {line}" for line in probe.contains), *(f"does not contain {line}" for line in probe.gaps))
    says = probe.level if probe.available else probe.problem
    return Report(name="sandbox", good=probe.available, says=says, remedy=probe.remedy, details=details)


async def _workspace(root: Path) -> Report:
    from suture_agent.workspace import open_workspace

    workspace = await open_workspace(root)
    await workspace.close()
    environment = workspace.sandbox.environment
    checks = ", ".join(check.name for check in environment.checks) or "none"
    says = f"{root.name}: checks {checks}; {len(environment.fields.dependencies)} packages; environment {environment.identity[:12]}"
    tools = {check.kind for check in environment.checks} - {"build"}
    return Report(
        name="workspace",
        good=bool(tools),
        says=says,
        remedy="" if tools else "install pytest, mypy or ruff in the workspace's environment, or name a check in [tool.suture.checks]",
        details=workspace.notes,
        needed=False,
    )


async def _lock(root: Path) -> Report:
    from suture_agent.workspace import open_workspace
    from suture_sandbox.lockfile import lock_path, sentences

    if not lock_path(root).exists():
        return Report(name="lock", good=True, says="no suture.lock: the environment is taken as it is found", needed=False)
    workspace = await open_workspace(root)
    await workspace.close()
    drift = sentences(workspace.drift)
    says = "the environment is the one in suture.lock" if not drift else f"{len(drift)} differences from suture.lock"
    return Report(name="lock", good=not drift, says=says, remedy="suture env lock" if drift else "", details=drift)


async def _pins(root: Path) -> Report:
    import asyncio

    from suture_sandbox.pins import find_floating

    pins = await asyncio.to_thread(find_floating, root)
    listed = tuple(f"{item.path}:{item.line}: {item.what}: {item.why}" for item in pins.floating)
    return Report(
        name="pins",
        good=not listed,
        says=f"{len(listed)} dependencies float" if listed else "no dependency floats",
        remedy="suture env show says how to pin each" if listed else "",
        details=(
            *listed[:_MOST_DETAILS],
            *([f"and {len(listed) - _MOST_DETAILS} more"] if len(listed) > _MOST_DETAILS else []),
            *pins.notes,
        ),
        needed=False,
    )


async def _policy(root: Path) -> Report:
    from suture_agent.policies.registry import examine
    from suture_agent.settings import load
    from suture_agent.workspace import models_folder

    settings = load(root, user_file=_user_file(), environ=os.environ).settings
    key = os.environ.get(settings.policy.api_key_variable)
    good, says, remedy = await examine(settings.policy.spec, api_key=key, models=models_folder(settings))
    return Report(name="policy", good=good, says=says, remedy=remedy)


async def _journal(root: Path) -> Report:
    from suture_agent.settings import load
    from suture_agent.workspace import journal_path

    settings = load(root, user_file=_user_file(), environ=os.environ).settings
    path = journal_path(settings)
    if settings.journal.level == "off":
        return Report(name="journal", good=True, says="switched off", needed=False)
    folder = next(folder for folder in path.parents if folder.exists())
    writable = os.access(folder, os.W_OK)
    return Report(
        name="journal",
        good=writable,
        says=f"{settings.journal.level}, in {path}" if writable else f"{folder} is not writable",
        remedy="" if writable else "make it writable, or set journal.path in your own configuration",
    )


EXAMINATIONS: Mapping[str, Callable[[Path], Awaitable[Report]]] = {
    "sandbox": _sandbox,
    "workspace": _workspace,
    "lock": _lock,
    "pins": _pins,
    "policy": _policy,
    "journal": _journal,
}
"""What is looked at, in order."""


def _user_file() -> Path:
    from suture_agent.places import user_configuration

    return user_configuration()


def _settings(root: Path) -> dict[str, tuple[Any, str]]:
    """Dotted key -> (value, where it came from). Keys of servers are only named by their variable, so none is shown."""
    from suture_agent.settings import load

    loaded = load(root, user_file=_user_file(), environ=os.environ)
    tree = msgspec.to_builtins(loaded.settings)
    values: dict[str, tuple[Any, str]] = {}
    for key, origin in loaded.origins.items():
        place: Any = tree
        for part in key.split("."):
            place = place[part]
        values[key] = (place, origin)
    return values


def _show(report: Report, output: Output) -> None:
    mark, style = ("ok", "green") if report.good else ("--", "red" if report.needed else "yellow")
    output.say(f"{mark}  {report.name:10} {report.says}", style=style)
    if report.remedy:
        output.say(f"    {'':10} try: {report.remedy}")
    if output.verbose or not report.good:
        for line in report.details:
            output.say(f"    {'':10} {line}", style="dim")


def _show_settings(settings: Mapping[str, tuple[Any, str]], output: Output) -> None:
    """Those that somebody set; with -v all."""
    shown = {key: pair for key, pair in settings.items() if output.verbose or pair[1] != "default"}
    output.say(
        f"\nsettings ({len(settings) - len(shown)} more at their defaults; -v shows them; your own file: {_user_file()})", style="bold"
    )
    for key, (value, origin) in shown.items():
        output.say(f"    {key} = {value!r}    {origin}")
