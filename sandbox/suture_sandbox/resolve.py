"""Finding or building the environment of a workspace, and capturing it: what `suture env`, `check` and `fix` begin with.

In order: the interpreter that the user names; the environment that the workspace's lock file describes, built in the cache; the
workspace's own virtual environment, frozen as it is; the interpreter that suture runs in. Nothing is installed silently and nothing in
the workspace is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from suture_sandbox.build import build, marker_environment
from suture_sandbox.capture import capture_fields, runtime_of
from suture_sandbox.capture.clock import frozen
from suture_sandbox.capture.interpreter import Interpreter, inspect
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, Limits, Runtime
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.files import has, read_plain
from suture_sandbox.lockformats import find_plan
from suture_sandbox.lockformats.plan import Plan
from suture_sandbox.project import install
from suture_sandbox.pylock import own_plan

Progress = Callable[[str], None]

VENV_FOLDERS = (".venv", "venv", "env", ".env")
"""Where a workspace's own virtual environment is looked for, in order; poetry and pdm put theirs into the first."""

_MINOR_VERSIONS = range(9, 16)
_LARGEST_VERSION = 1 << 16  # bytes of .python-version


def quiet(_: str) -> None:
    """Report no progress."""


async def resolve(
    root: Path,
    *,
    checks: tuple[Check, ...],
    limits: Limits,
    isolation: Mapping[str, str | int],
    cache: Path,
    python: Path | None = None,
    progress: Progress = quiet,
    offline: bool = False,
    filters: Mapping[str, int] | None = None,
) -> Environment:
    """The workspace's environment, found or built, with its fields captured.

    Raises ConfigurationError for what the user or the workspace must mend, InfrastructureError for what the machine failed at.
    """
    runtime = await find_runtime(root, cache=cache, python=python, progress=progress, offline=offline)
    return await recapture(runtime, root=root, checks=checks, limits=limits, isolation=isolation, cache=cache, filters=filters)


async def freeze(runtime: Runtime, moment: str, *, root: Path, cache: Path) -> Runtime:
    """The runtime with its clock standing still; the same one where no moment is named. Raises ConfigurationError."""
    if not moment:
        return runtime
    interpreter = await asyncio.to_thread(inspect, Path(runtime.python), root=root, cache=cache)
    return await asyncio.to_thread(frozen, runtime, moment, interpreter.base)


async def recapture(
    runtime: Runtime,
    *,
    root: Path,
    checks: tuple[Check, ...],
    limits: Limits,
    isolation: Mapping[str, str | int],
    cache: Path,
    filters: Mapping[str, int] | None = None,
) -> Environment:
    """Capture the fields of a runtime that is known already: the cheap half of `resolve`, for verifying and for other checks."""
    fields, notes = await asyncio.to_thread(
        capture_fields, runtime, root=root, checks=checks, limits=limits, isolation=isolation, cache=cache, filters=filters
    )
    noted = msgspec.structs.replace(runtime, notes=tuple(dict.fromkeys((*runtime.notes, *notes))))
    return Environment(fields=fields, runtime=noted, limits=limits)


async def find_runtime(
    root: Path, *, cache: Path, python: Path | None = None, progress: Progress = quiet, offline: bool = False
) -> Runtime:
    """Where the workspace's environment lies; builds it when a lock file says what it is. Checks can be detected in it afterwards."""
    root = await asyncio.to_thread(root.resolve)
    basis = await asyncio.to_thread(basis_of, root, cache=cache, python=python)
    if isinstance(basis, Plan):
        return await _built(root, basis, workspace_python(root), cache, progress, offline)
    if python is not None and basis is not None:
        return await asyncio.to_thread(_frozen, root, basis, cache, f"the interpreter that was named: {python}")
    if basis is not None:
        return await asyncio.to_thread(_frozen, root, basis, cache, f"the workspace's own environment, as it is: {basis.parent.parent}")
    note = "the workspace has no lock file and no environment of its own: suture's own interpreter is used"
    progress(note)
    return await asyncio.to_thread(_frozen, root, Path(sys.executable), cache, note)


def basis_of(root: Path, *, cache: Path, python: Path | None = None) -> Plan | Path | None:
    """What decides the environment: a plan to build, an interpreter to take as it is, None where the workspace has neither.

    What suture itself pinned counts only where the workspace has no lock file of another tool and no environment: there it makes it anew.
    """
    if python is not None:
        return _program(python)
    own = workspace_python(root)
    return _plan(root, own, cache) or own or own_plan(root)


async def built(root: Path, plan: Plan, *, cache: Path, house: Path, progress: Progress) -> Interpreter:
    """The environment of a plan, built from the wheels in `house` with no network and no other cache of suture's than `cache`."""
    base = await asyncio.to_thread(_choose, root, plan, None, cache)
    python = await build(plan, base, root=root, cache=cache, house=house, progress=progress, offline=True)
    return await asyncio.to_thread(inspect, python, root=root, cache=cache)


def workspace_python(root: Path) -> Path | None:
    """The interpreter of the workspace's own virtual environment, None where it has none."""
    active = (Path(os.environ[name]) for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if os.environ.get(name))
    folders = [root / name for name in VENV_FOLDERS]
    folders += [folder for folder in active if folder.is_absolute() and folder.is_relative_to(root)]
    for folder in folders:
        if has(folder, "pyvenv.cfg") or has(folder, "conda-meta"):
            for name in ("python", "python3"):
                if os.path.lexists(folder / "bin" / name):
                    return folder / "bin" / name
            raise ConfigurationError(
                f"{folder} is a virtual environment without bin/python", remedy=f"make it again: python3 -m venv --clear {folder.name}"
            )
    return None


def _program(python: Path) -> Path:
    """The program that the user means: a path, an environment's folder, or a name on PATH."""
    if python.is_dir():
        return python / "bin" / "python"
    found = shutil.which(str(python)) if len(python.parts) == 1 and not python.exists() else None
    return Path(found) if found else python


def _frozen(root: Path, python: Path, cache: Path, note: str) -> Runtime:
    interpreter = inspect(python, root=root, cache=cache)
    packages = [site for site in interpreter.sites if any(site.glob("*/__init__.py"))]
    slow = [site for site in packages if not any(site.glob("*/__pycache__"))]
    notes = [f"nothing in {site} is compiled, so every run compiles it again; once would do: python -m compileall {site}" for site in slow]
    return runtime_of(interpreter, root=root, notes=(note, *notes))


def _plan(root: Path, own: Path | None, cache: Path) -> Plan | None:
    """The workspace's plan. Which packages it takes depends on the interpreter, and which interpreters fit is said by the plan."""
    first = next(_interpreters(root, own, cache), None) or inspect(Path(sys.executable), root=root, cache=cache)
    plan = find_plan(root, marker_environment(first))
    if plan is None or _fits(first, _required(root, plan)):
        return plan
    return find_plan(root, marker_environment(_choose(root, plan, own, cache)))


async def _built(root: Path, plan: Plan, own: Path | None, cache: Path, progress: Progress, offline: bool) -> Runtime:
    base = await asyncio.to_thread(_choose, root, plan, own, cache)
    python = await build(plan, base, root=root, cache=cache, progress=progress, offline=offline)
    return await asyncio.to_thread(_assembled, root, plan, python, cache)


def _assembled(root: Path, plan: Plan, python: Path, cache: Path) -> Runtime:
    stand_in = install(plan.projects, cache=cache)
    variables = {"PYTHONPATH": ":".join(map(str, stand_in.search))} if stand_in.search else {}
    return runtime_of(
        inspect(python, root=root, cache=cache),
        root=root,
        variables=variables,
        readonly=(stand_in.metadata,) if stand_in.metadata else (),
        notes=(f"built from {plan.source} in suture's cache", *plan.notes, *stand_in.notes),
    )


def _choose(root: Path, plan: Plan, own: Path | None, cache: Path) -> Interpreter:
    """The first interpreter that the plan takes: the one behind the workspace's environment, suture's own, any other of this machine."""
    required = _required(root, plan)
    tried: list[str] = []
    for interpreter in _interpreters(root, own, cache):
        if _fits(interpreter, required):
            return interpreter
        tried.append(interpreter.facts.version)
    raise ConfigurationError(
        f"{plan.source} wants Python {' and '.join(required)}; this machine has {', '.join(dict.fromkeys(tried))}",
        remedy="install one that fits, such as with: uv python install VERSION",
    )


def _required(root: Path, plan: Plan) -> tuple[str, ...]:
    """Version specifiers that the interpreter must meet."""
    return tuple(item for item in (plan.requires_python, _pinned(root)) if item)


def _pinned(root: Path) -> str:
    """What `.python-version` asks for, as a specifier; empty where there is none or it names no version."""
    words = (read_plain(root / ".python-version", most=_LARGEST_VERSION) or b"").decode("utf-8", "replace").split()
    found = re.fullmatch(r"(?:cpython-)?(\d+\.\d+)(\.\d+)?", words[0]) if words else None
    return f"=={found.group(1)}.*" if found else ""


def _fits(interpreter: Interpreter, required: tuple[str, ...]) -> bool:
    try:
        return all(SpecifierSet(item).contains(interpreter.facts.version, prereleases=True) for item in required)
    except InvalidSpecifier:
        return True  # Poetry writes some that only Poetry reads; the packages' own limits still hold


def _interpreters(root: Path, own: Path | None, cache: Path) -> Iterator[Interpreter]:
    for python in _pythons(root, own):
        try:
            found = inspect(python, root=root, cache=cache)
            yield inspect(found.base, root=root, cache=cache)
        except ConfigurationError:  # broken or foreign: the next one may do
            continue


def _pythons(root: Path, own: Path | None) -> Iterator[Path]:
    if own is not None:
        yield own
    yield Path(sys.executable)
    for minor in _MINOR_VERSIONS:
        if found := shutil.which(f"python3.{minor}"):
            yield Path(found)
    yield from _managed(root)


def _managed(root: Path) -> Iterator[Path]:
    """Interpreters that uv or pyenv have installed for the user."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for pattern, folder in (("*/bin/python3", data / "uv" / "python"), ("*/bin/python3", pyenv / "versions")):
        with contextlib.suppress(OSError):  # not this user's to look into
            yield from sorted(path for path in folder.glob(pattern) if not path.is_relative_to(root))
