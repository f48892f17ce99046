"""Building an environment from a workspace's lock file, in suture's cache and never in the workspace.

Wheels only: building a source distribution would run its code outside the sandbox. The workspace's own build backend is never run
either; `project` stands in for its installation. An environment is built under a temporary name and renamed when it is complete, so one
that can be seen is whole; two suture processes that want the same one wait for each other.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path

from suture_sandbox.capture.interpreter import Interpreter
from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.files import read_plain
from suture_sandbox.lockformats.plan import Plan
from suture_sandbox.lockformats.pylock import wheels_only
from suture_sandbox.pinning import in_house, pins_in, pylock_of
from suture_sandbox.project import MAKE_ROOM
from suture_sandbox.pylock import tags_of
from suture_sandbox.uv_program import Uv, communicate, find_uv
from suture_sandbox.wheels import Wheel, Wheelhouse

Progress = Callable[[str], None]

_FORMAT = "1"
_TAKE_IN = "allow the network once: suture env lock takes in what is missing"
_LOCK_POLL_SECONDS = 0.1
_MISSING_FROM_CACHE = re.compile(r"(?i)network connectivity is disabled|not found in the cache|--offline|offline")


async def build(
    plan: Plan,
    interpreter: Interpreter,
    *,
    root: Path,
    cache: Path,
    progress: Progress,
    offline: bool = False,
    house: Path | None = None,
) -> Path:
    """The python of the environment that `plan` describes, built when it is not in the cache yet.

    What the wheelhouse has whole is built from it alone, with no network and no other cache; where `house` names one, nothing else will do.
    Raises ConfigurationError when the plan cannot be carried out, InfrastructureError when the network or the disk fails.
    """
    home = environment_folder(plan, interpreter, cache)
    if (home / "bin" / "python").exists():
        return home / "bin" / "python"
    _make_folder(home.parent)
    async with _exclusive(home.parent / f"{home.name}.lock", lambda: progress("another suture builds the same environment; waiting")):
        if not (home / "bin" / "python").exists():
            wheels, alone = Wheelhouse(house or wheelhouse(cache)), house is not None
            await _build(plan, interpreter, root=root, home=home, house=wheels, alone=alone, progress=progress, offline=offline)
    return home / "bin" / "python"


def environment_folder(plan: Plan, interpreter: Interpreter, cache: Path) -> Path:
    """Where the environment lies; its name is decided by everything that decides its content."""
    facts = interpreter.facts
    parts = (_FORMAT, plan.digest, str(interpreter.base), facts.version, facts.abi)
    return cache / "environments" / hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def wheelhouse(cache: Path) -> Path:
    """Where the wheels lie."""
    return cache / "wheelhouse"


async def _build(
    plan: Plan, interpreter: Interpreter, *, root: Path, home: Path, house: Wheelhouse, alone: bool, progress: Progress, offline: bool
) -> None:
    await _remove(home, *home.parent.glob(f".{home.name}.*"))  # what a killed build left behind; nobody else is at it, we hold the lock
    await asyncio.to_thread(_refuse_unreadable, root, plan)
    temporary = home.parent / f".{home.name}.{os.getpid()}"
    uv = Uv(find_uv(root), root, interpreter.base, progress)
    progress(f"building the environment from {plan.source} ({len(plan.locked)} packages pinned)")
    try:
        await uv.run("venv", "--python", str(interpreter.base), "--relocatable", "--no-project", "--no-config", str(temporary))
        files = await _files(plan, uv, temporary, marker_environment(interpreter))
        pins = await asyncio.to_thread(pins_in, plan, files, marker_environment(interpreter))
        wheels, absent = await asyncio.to_thread(in_house, pins, tags_of(interpreter), house)
        if pins and not absent:
            await _from_house(uv, temporary, wheels, house)
        else:
            lacking = tuple(f"{pin.name} {pin.version}" for pin in absent)
            if alone:
                raise InfrastructureError(f"the wheelhouse is not whole (missing: {', '.join(lacking)})", remedy=_TAKE_IN)
            await _sync(plan, uv, temporary, files, offline=offline, lacking=lacking)
        await _compile(interpreter, temporary, home)
        for file in files if not plan.files else ():
            file.unlink()
        temporary.rename(home)
    except OSError as error:
        raise InfrastructureError(f"cannot build in {home.parent}: {error.strerror}", remedy=MAKE_ROOM) from error
    finally:
        await asyncio.shield(_remove(temporary))


def _refuse_unreadable(root: Path, plan: Plan) -> None:
    """Uv reads these itself, and would wait for a pipe."""
    for folder in dict.fromkeys((root, *plan.projects)):
        for name in ("pyproject.toml", "uv.toml"):
            read_plain(folder / name)


def marker_environment(interpreter: Interpreter) -> dict[str, str]:
    """What environment markers (PEP 508) see for this interpreter."""
    from packaging.markers import default_environment

    facts = interpreter.facts
    name = {"cpython": "CPython", "pypy": "PyPy"}.get(facts.implementation, facts.implementation)
    return {
        **{key: str(value) for key, value in default_environment().items()},
        "implementation_name": facts.implementation,
        "implementation_version": facts.version,
        "platform_python_implementation": name,
        "python_full_version": facts.version,
        "python_version": facts.feature_version,
    }


async def _files(plan: Plan, uv: Uv, temporary: Path, markers: Mapping[str, str]) -> tuple[Path, ...]:
    """The files to install, written into the unfinished environment where the workspace has none that serves."""
    if plan.files:
        return plan.files
    file = temporary / ("requirements.txt" if plan.kind == "requirements" else "pylock.toml")
    file.write_text(await text_of(plan, uv, markers), "utf-8")
    return (file,)


async def text_of(plan: Plan, uv: Uv, markers: Mapping[str, str]) -> str:
    """What a plan without files of its own comes to: a pylock, or requirements."""
    if plan.kind != "uv":
        return plan.text
    exported = await uv.run(
        *("export", "--frozen", "--format", "pylock.toml", "--no-emit-local", "--no-header", "--project", str(uv.root)),
        *("--python", str(uv.base), *plan.arguments),
    )
    return wheels_only(exported, uv.root, "uv.lock", markers)


async def _from_house(uv: Uv, temporary: Path, wheels: Sequence[Wheel], house: Wheelhouse) -> None:
    """Install wheels of the wheelhouse; uv checks every hash again."""
    file = temporary / "pylock.wheelhouse.toml"
    file.write_text(pylock_of(wheels, house), "utf-8")
    options = ("--no-build", "--offline", "--no-index", "--no-config")
    await uv.run("pip", "sync", "--python", str(temporary / "bin" / "python"), *options, str(file), alone=True)
    file.unlink()


async def _sync(plan: Plan, uv: Uv, temporary: Path, files: Sequence[Path], *, offline: bool, lacking: Sequence[str]) -> None:
    arguments = ["pip", "sync", "--python", str(temporary / "bin" / "python"), "--no-build", "--allow-empty-requirements"]
    if plan.kind == "requirements":
        arguments += ["--require-hashes", *plan.arguments]
    arguments += map(str, files)
    try:
        await uv.run(*arguments, "--offline")
    except (ConfigurationError, InfrastructureError) as first:
        if isinstance(first, ConfigurationError) and not _MISSING_FROM_CACHE.search(str(first)):
            raise
        if offline:
            raise InfrastructureError(
                f"not everything that {plan.source} pins is in the wheelhouse (missing: {', '.join(lacking)}) or uv's local cache: {first}",
                remedy=_TAKE_IN,
            ) from first
        uv.progress("not everything is in uv's local cache: downloading the rest")
        await uv.run(*arguments, speak=True)


async def _compile(interpreter: Interpreter, temporary: Path, home: Path) -> None:
    """Compile once, because attempts write no bytecode. By the base interpreter without site: `.pth` files of packages do not run."""
    command = ("-I", "-S", "-m", "compileall", "-q", "-j", "2", "-s", str(temporary), "-p", str(home), str(temporary / "lib"))
    await communicate((str(interpreter.base), *command), temporary, {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}, None)


@contextlib.asynccontextmanager
async def _exclusive(path: Path, waiting: Callable[[], None]) -> AsyncGenerator[None]:
    """Hold a file lock, which the kernel releases whatever becomes of this process."""
    try:
        file = path.open("w")  # closed below; only the opening may fail for want of room
    except OSError as error:
        raise InfrastructureError(f"cannot make {path}: {error.strerror}", remedy=MAKE_ROOM) from error
    with file:
        told = False
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if not told:
                    waiting()
                told = True
                await asyncio.sleep(_LOCK_POLL_SECONDS)
        yield


async def _remove(*folders: Path) -> None:
    for folder in folders:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InfrastructureError(f"cannot make {folder}: {error.strerror}", remedy=MAKE_ROOM) from error
