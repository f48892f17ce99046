"""`suture env lock | show | verify | diff`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from suture_server.cli.common import Output, backend_option, chosen_backend, options, run_async, workspace_root

if TYPE_CHECKING:
    from suture_agent.settings import Settings
    from suture_agent.workspace import Workspace
    from suture_sandbox.environment import EnvironmentFields
    from suture_sandbox.identity import Difference
    from suture_sandbox.pins import Pins


@click.group()
def env() -> None:
    """Pin the environment in which fixes are proven, and compare it.

    The environment is everything that decides a check's result: toolchain, dependencies, system, variables, isolation, checks.
    """


@env.command()
@click.argument("path", required=False)
@click.option("--no-wheels", is_flag=True, help="Write suture.lock alone; download nothing.")
@click.option("--files", is_flag=True, help="List every file of every package too, so that other machines can tell which one differs.")
@click.option("--refill", is_flag=True, help="Erase the wheelhouse, of all workspaces, before it is filled.")
@backend_option
@click.option("--image", metavar="REFERENCE", help="With --backend docker: the image to adopt, by any name; its digest is what is locked.")
@click.option(
    "--base", metavar="REFERENCE", help="With --backend docker: build an image on this one from the workspace's lock file, and adopt that."
)
@options
def lock(
    path: str | None,
    no_wheels: bool,
    files: bool,
    refill: bool,
    backend: str | None,
    image: str | None,
    base: str | None,
    output: Output,
) -> int:
    r"""Write suture.lock: the environment's identity and every field it is computed from.

    Beside it goes pylock.suture.toml, which pins every wheel of the environment by hash, and the wheels go into suture's cache, so that
    the environment can be built again without network. What cannot be had is named.

    \b
    Examples:
      suture env lock
      suture env lock --no-wheels
      suture env lock --backend docker --image registry.example/shop-ci:2026-11
      suture env lock --backend docker --base python:3.13-slim
    """
    if (image or base) and backend == "local":
        raise click.UsageError("--image and --base are for --backend docker")
    if image and base:
        raise click.UsageError("--image adopts an image as it is, --base builds one: give one of them")
    overrides = chosen_backend("docker" if image or base else backend)
    return run_async(_lock(path, overrides, image, base, output, wheels=not no_wheels, files=files, refill=refill))


@env.command()
@click.argument("path", required=False)
@backend_option
@options
def show(path: str | None, backend: str | None, output: Output) -> int:
    r"""Print the environment's identity and its fields, and the dependencies that float: that the workspace's own files do not pin.

    \b
    Examples:
      suture env show
      suture env show --json
    """
    return run_async(_show(path, chosen_backend(backend), output))


@env.command()
@click.argument("path", required=False)
@click.option("--rebuild", is_flag=True, help="Build the environment anew from its wheels, without network, and compare that.")
@backend_option
@options
def verify(path: str | None, rebuild: bool, backend: str | None, output: Output) -> int:
    r"""Compare what is installed with suture.lock and name what drifted, and what may drift. Exit code 1 when something did.

    \b
    Examples:
      suture env verify
      suture env verify --rebuild
    """
    return run_async(_rebuild(path, output) if rebuild else _verify(path, chosen_backend(backend), output))


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
    from suture_agent.places import cache_folder
    from suture_sandbox.errors import LockError
    from suture_sandbox.lockfile import NAME, parse, take_in_files

    path = Path(name)
    if path.is_dir() or path.name == NAME:
        return _read_lock(path if path.is_dir() else path.parent)
    try:
        text = path.read_text(encoding="utf-8")
        take_in_files(text, cache_folder())
        return parse(text, name)
    except (OSError, UnicodeDecodeError) as error:
        raise LockError(f"{name} cannot be read: {error}", remedy="give a lock file, or a folder that holds one") from error


def _read_lock(root: Path) -> EnvironmentFields:
    """A workspace's lock; the files that it lists are remembered."""
    from suture_agent.places import cache_folder
    from suture_sandbox.lockfile import lock_path, read_lock, take_in_files

    fields = read_lock(root)
    take_in_files(lock_path(root).read_text("utf-8"), cache_folder())
    return fields


async def _open(path: str | None, overrides: dict[str, object], output: Output) -> Workspace:
    from suture_agent.workspace import open_workspace

    return await open_workspace(workspace_root(path), overrides=overrides, progress=output.note)


async def _lock(
    path: str | None,
    overrides: dict[str, object],
    image: str | None,
    base: str | None,
    output: Output,
    *,
    wheels: bool,
    files: bool,
    refill: bool,
) -> int:
    from suture_agent.places import cache_folder
    from suture_sandbox.lockfile import write_lock

    if base:
        overrides = {**overrides, "sandbox.docker_image": await _build(path, overrides, base, output)}
    elif reference := image or _named_image(path, overrides):
        output.note(f"adopting the image {reference}")
        overrides = {**overrides, "sandbox.docker_image": await _adopt(path, overrides, reference)}
    workspace = await _open(path, overrides, output)
    environment = workspace.sandbox.environment
    written = write_lock(workspace.root, environment, files_from=cache_folder() if files else None)
    pinned = await _pin_wheels(workspace, output, refill=refill) if wheels and not environment.fields.image else {}
    output.line({"event": "summary", "environment": environment.identity, "path": written.name, **pinned})
    output.say(
        f"wrote {written.name}: environment {environment.identity[:12]}, {len(environment.fields.dependencies)} packages", style="green"
    )
    return 0


def _named_image(path: str | None, overrides: dict[str, object]) -> str:
    """The image that the user's own settings name, where the Docker backend is chosen."""
    settings = _settings(path, overrides)
    return settings.sandbox.docker_image if settings.sandbox.backend == "docker" else ""


async def _adopt(path: str | None, overrides: dict[str, object], reference: str) -> str:
    from suture_agent.images import adopt_image

    return await adopt_image(_settings(path, overrides), reference)


async def _build(path: str | None, overrides: dict[str, object], base: str, output: Output) -> str:
    from suture_agent.images import build_image

    return await build_image(_settings(path, overrides), base, workspace_root(path).resolve(), output.note)


def _settings(path: str | None, overrides: dict[str, object]) -> Settings:
    import os

    from suture_agent.places import user_configuration
    from suture_agent.settings import load

    return load(workspace_root(path), user_file=user_configuration(), environ=os.environ, overrides=overrides).settings


async def _pin_wheels(workspace: Workspace, output: Output, *, refill: bool) -> dict[str, object]:
    """Fill the wheelhouse and write the pins; hands back what the summary says of it."""
    from suture_agent.places import cache_folder, expanded
    from suture_sandbox.build import wheelhouse
    from suture_sandbox.locking import pin_wheels
    from suture_sandbox.pylock import NAME
    from suture_sandbox.wheels import Wheelhouse

    cache, settings = cache_folder(), workspace.settings.environment
    if refill:
        output.note(f"erased {Wheelhouse(wheelhouse(cache)).erase()} wheels")
    python = expanded(settings.python, "environment.python") if settings.python else None
    environment = workspace.sandbox.environment
    pinned = await pin_wheels(workspace.root, environment, cache=cache, progress=output.note, python=python, offline=settings.offline)
    if pinned.note:
        output.note(f"note: {pinned.note}")
        return {"wheels": 0, "missing": 0}
    for item in pinned.missing:
        output.line({"event": "missing", "name": item.name, "version": item.version, "reason": item.reason})
        output.say(f"missing: {item.name} {item.version}: {item.reason}", style="yellow")
    output.say(f"wrote {NAME}: {len(pinned.wheels)} wheels by hash, all in the wheelhouse; {len(pinned.missing)} missing", style="green")
    return {"wheels": len(pinned.wheels), "missing": len(pinned.missing), "pins": NAME}


async def _rebuild(path: str | None, output: Output) -> int:
    from suture_agent.places import cache_folder
    from suture_sandbox.identity import identity_of
    from suture_sandbox.locking import rebuild

    root = workspace_root(path)
    locked = _read_lock(root)
    drift = await rebuild(root, locked, cache=cache_folder(), progress=output.note)
    same = f"built again without network: {len(locked.dependencies)} packages, each with the locked content"
    return _report(drift, (identity_of(locked), ""), output, same=same)


async def _show(path: str | None, overrides: dict[str, object], output: Output) -> int:
    import msgspec

    from suture_sandbox.lockfile import render

    workspace = await _open(path, overrides, output)
    environment = workspace.sandbox.environment
    pins = await _floating(workspace.root, output)
    output.line({"event": "summary", "environment": environment.identity, "fields": msgspec.to_builtins(environment.fields)})
    output.say(render(environment.fields).rstrip("\n"))
    _say_floating(pins, output)
    for note in environment.runtime.notes:
        output.note(f"note: {note}")
    return 0


async def _verify(path: str | None, overrides: dict[str, object], output: Output) -> int:
    from suture_sandbox.identity import identity_of
    from suture_sandbox.lockfile import verify as compare

    root = workspace_root(path)
    locked = _read_lock(root)
    present = (await _open(path, overrides, output)).sandbox.environment
    if locked.image and not present.fields.image:
        output.note("note: what is locked is an image; compare with it: suture env verify --backend docker", style="yellow")
    pins = await _floating(root, output)
    drift = compare(locked, present.fields)
    same = "the environment is the one in suture.lock"
    code = _report(drift, (identity_of(locked), present.identity), output, same=same, floating=len(pins.floating))
    _say_floating(pins, output)
    return code


async def _floating(root: Path, output: Output) -> Pins:
    """What the workspace's manifests leave open, as JSON lines where those are asked for."""
    import asyncio

    import msgspec

    from suture_sandbox.pins import find_floating

    pins = await asyncio.to_thread(find_floating, root)
    for item in pins.floating:
        output.line({"event": "floating", **msgspec.to_builtins(item)})
    return pins


def _say_floating(pins: Pins, output: Output) -> None:
    """The same for people, after what they asked for."""
    if pins.floating:
        output.say(f"\n# {len(pins.floating)} dependencies float: the same commit may be another environment tomorrow", style="yellow")
    for item in pins.floating:
        output.say(f"# {item.path}:{item.line}: {item.what}: {item.why}", style="yellow")
        output.say(f"#     pin it: {item.pin}", style="dim")
    for note in pins.notes:
        output.note(f"note: {note}")


def _report(drift: tuple[Difference, ...], identities: tuple[str, str], output: Output, *, same: str, **counts: int) -> int:
    import msgspec

    from suture_agent.places import cache_folder
    from suture_sandbox.lockfile import files_behind, sentences

    for difference in drift:
        files = files_behind(difference, cache_folder())
        named = {"files": msgspec.to_builtins(files)} if files is not None else {}
        output.line({"event": "difference", "field": difference.field, "before": difference.before, "after": difference.after, **named})
    output.line({"event": "summary", "differences": len(drift), **counts, "before": identities[0], "after": identities[1]})
    if not drift:
        output.say(f"{same} ({identities[0][:12]})", style="green")
    for sentence in sentences(drift, cache_folder()):
        output.say(sentence, style="yellow")
    return 1 if drift else 0
