"""`suture env lock` beyond the identity: the wheels of the environment into the wheelhouse, their hashes into pylock.suture.toml; and back.

`rebuild` is the proof that the lock can be built from: a fresh environment from nothing but those wheels, without network, whose packages
are compared with what suture.lock says, by the content of their files.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from suture_sandbox.build import marker_environment, text_of, wheelhouse
from suture_sandbox.capture import manifests
from suture_sandbox.capture.distributions import UNOWNED, contents
from suture_sandbox.capture.files import write_atomically
from suture_sandbox.capture.interpreter import Interpreter, inspect
from suture_sandbox.environment import Environment, EnvironmentFields
from suture_sandbox.errors import ConfigurationError, LockError
from suture_sandbox.identity import Difference, differences
from suture_sandbox.lockformats.plan import Plan
from suture_sandbox.pinning import Pin, collect, pins_in, pins_in_pylock, pins_in_requirements, pins_of_installed
from suture_sandbox.pylock import NAME, WHEELS, own_plan, render
from suture_sandbox.resolve import basis_of, built
from suture_sandbox.uv_program import Uv, find_uv
from suture_sandbox.wheels import Missing, Wheel, Wheelhouse, link

NOT_THE_WORKSPACES = "the workspace has no lock file and no environment of its own, so there is nothing of its own to pin by hash"


class Pinned(msgspec.Struct, frozen=True, kw_only=True):
    """What came of pinning an environment's wheels."""

    wheels: tuple[Wheel, ...] = ()
    missing: tuple[Missing, ...] = ()
    note: str = ""
    """Why nothing was pinned."""


async def pin_wheels(
    root: Path,
    environment: Environment,
    *,
    cache: Path,
    progress: Callable[[str], None],
    python: Path | None = None,
    offline: bool = False,
) -> Pinned:
    """Fill the wheelhouse with the environment's wheels and write pylock.suture.toml. Raises ConfigurationError, InfrastructureError."""
    basis = await asyncio.to_thread(basis_of, root, cache=cache, python=python)
    interpreter = await asyncio.to_thread(inspect, Path(environment.runtime.python), root=root, cache=cache)
    if basis is None or (isinstance(basis, Path) and not interpreter.virtual):
        return Pinned(note=NOT_THE_WORKSPACES)
    house = Wheelhouse(wheelhouse(cache))
    uv = Uv(find_uv(root), root, interpreter.base, progress)
    pins = await _pins(basis, environment, uv, interpreter)
    indexes = basis.arguments if isinstance(basis, Plan) and basis.kind == "requirements" else ()
    wheels, missing = await collect(pins, interpreter, house, uv.run, progress, indexes=indexes, offline=offline)
    await asyncio.to_thread(_write, root, wheels, interpreter, house)
    return Pinned(wheels=tuple(wheels), missing=tuple(missing))


async def rebuild(root: Path, locked: EnvironmentFields, *, cache: Path, progress: Callable[[str], None]) -> tuple[Difference, ...]:
    """Build the locked environment anew from the wheelhouse alone, and say how its packages differ from the locked ones.

    Raises LockError where there is nothing to build from, InfrastructureError where wheels are missing.
    """
    plan = await asyncio.to_thread(own_plan, root)
    if plan is None:
        raise LockError(f"{root / NAME} does not exist: there are no wheels to build from", remedy="write it: suture env lock")
    place = await asyncio.to_thread(lambda: Path(tempfile.mkdtemp(prefix=".rebuild-", dir=_folder(cache))))
    try:
        interpreter = await built(root, plan, cache=place, house=wheelhouse(cache), progress=progress)
        present = await asyncio.to_thread(contents, interpreter.sites, interpreter.prefix, root=root, cache=place)
        for item in present.dependencies.values():  # so that a difference can be told by file
            manifests.keep(cache, (manifests.load(place, item.content) or {}).items())
    finally:
        await asyncio.shield(asyncio.to_thread(shutil.rmtree, place, ignore_errors=True))
    wanted = {name: item for name, item in locked.dependencies.items() if name != UNOWNED and item.version != "editable"}
    return differences({"dependencies": wanted}, {"dependencies": present.dependencies})


async def _pins(basis: Plan | Path, environment: Environment, uv: Uv, interpreter: Interpreter) -> Sequence[Pin]:
    if isinstance(basis, Path):
        return pins_of_installed(environment.fields.dependencies)
    markers = marker_environment(interpreter)
    if basis.files:
        return await asyncio.to_thread(pins_in, basis, basis.files, markers)
    text = await text_of(basis, uv, markers)
    return pins_in_requirements(text, markers) if basis.kind == "requirements" else pins_in_pylock(text)


def _write(root: Path, wheels: Sequence[Wheel], interpreter: Interpreter, house: Wheelhouse) -> None:
    path = root / NAME
    folder = root / WHEELS
    if path.is_symlink() or folder.is_symlink() or folder.parent.is_symlink():
        raise LockError(f"{path} or {WHEELS} is a symbolic link; suture does not write through it", remedy="remove the link")
    try:
        folder.parent.mkdir(exist_ok=True)
        if not (folder.parent / ".gitignore").exists():
            (folder.parent / ".gitignore").write_text("*\n")
        link(wheels, house, folder)
        write_atomically(path, render(wheels, interpreter).encode(), mode=0o644, durable=True)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}", remedy="make the workspace writable, with free space") from error


def _folder(cache: Path) -> Path:
    cache.mkdir(parents=True, exist_ok=True)
    return cache
