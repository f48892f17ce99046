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
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path

from suture_sandbox.capture.interpreter import Interpreter
from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.files import read_plain
from suture_sandbox.lockformats import Plan, wheels_only
from suture_sandbox.project import MAKE_ROOM

Progress = Callable[[str], None]

_FORMAT = "1"
_LOCK_POLL_SECONDS = 0.1
_MISSING_FROM_CACHE = re.compile(r"(?i)network connectivity is disabled|not found in the cache|--offline|offline")
_OVERRIDES = frozenset(
    {
        *("UV_FROZEN", "UV_LOCKED", "UV_OFFLINE", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_NO_BINARY", "UV_NO_BUILD"),
        *("UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_REQUIRE_HASHES", "UV_NO_VERIFY_HASHES", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_LINK_MODE"),
        *("UV_COMPILE_BYTECODE", "UV_EXCLUDE_NEWER", "UV_NO_SYNC", "UV_ENV_FILE"),
        *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"),
    }
)
"""Variables of the user's shell that would change what is built. Indexes, proxies, certificates and credentials stay."""


def find_uv(root: Path) -> Path:
    """The uv program: of suture's own installation, else on PATH; never one that lies in the workspace."""
    beside = Path(sys.executable).parent / "uv"
    candidates = [beside, Path(shutil.which("uv") or beside)]
    with contextlib.suppress(ImportError, FileNotFoundError):
        from uv import find_uv_bin

        candidates.insert(0, Path(find_uv_bin()))
    own = Path(sys.prefix).resolve()
    for candidate in candidates:
        resolved = candidate.resolve()
        if os.access(resolved, os.X_OK) and (resolved.is_relative_to(own) or not resolved.is_relative_to(root.resolve())):
            return candidate
    raise InfrastructureError("uv is not installed; it builds environments from lock files", remedy="pip install uv")


async def build(plan: Plan, interpreter: Interpreter, *, root: Path, cache: Path, progress: Progress, offline: bool = False) -> Path:
    """The python of the environment that `plan` describes, built when it is not in the cache yet.

    Raises ConfigurationError when the plan cannot be carried out, InfrastructureError when the network or the disk fails.
    """
    home = environment_folder(plan, interpreter, cache)
    if (home / "bin" / "python").exists():
        return home / "bin" / "python"
    _make_folder(home.parent)
    async with _exclusive(home.parent / f"{home.name}.lock", lambda: progress("another suture builds the same environment; waiting")):
        if not (home / "bin" / "python").exists():
            await _build(plan, interpreter, root=root, home=home, progress=progress, offline=offline)
    return home / "bin" / "python"


def environment_folder(plan: Plan, interpreter: Interpreter, cache: Path) -> Path:
    """Where the environment lies; its name is decided by everything that decides its content."""
    facts = interpreter.facts
    parts = (_FORMAT, plan.digest, str(interpreter.base), facts.version, facts.abi)
    return cache / "environments" / hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


async def _build(plan: Plan, interpreter: Interpreter, *, root: Path, home: Path, progress: Progress, offline: bool) -> None:
    await _remove(home, *home.parent.glob(f".{home.name}.*"))  # what a killed build left behind; nobody else is at it, we hold the lock
    await asyncio.to_thread(_refuse_unreadable, root, plan)
    temporary = home.parent / f".{home.name}.{os.getpid()}"
    uv = _Uv(find_uv(root), root, interpreter.base, progress)
    progress(f"building the environment from {plan.source} ({len(plan.locked)} packages pinned)")
    try:
        await uv.run("venv", "--python", str(interpreter.base), "--relocatable", "--no-project", "--no-config", str(temporary))
        files = await _files(plan, uv, temporary, marker_environment(interpreter))
        await _sync(plan, uv, temporary, files, offline=offline)
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


async def _files(plan: Plan, uv: _Uv, temporary: Path, markers: Mapping[str, str]) -> tuple[Path, ...]:
    """The files to install, written into the unfinished environment where the workspace has none that serves."""
    if plan.files:
        return plan.files
    text = plan.text
    if plan.kind == "uv":
        exported = await uv.run(
            *("export", "--frozen", "--format", "pylock.toml", "--no-emit-local", "--no-header", "--project", str(uv.root)),
            *("--python", str(uv.base), *plan.arguments),
        )
        text = wheels_only(exported, uv.root, "uv.lock", markers)
    file = temporary / ("requirements.txt" if plan.kind == "requirements" else "pylock.toml")
    file.write_text(text, "utf-8")
    return (file,)


async def _sync(plan: Plan, uv: _Uv, temporary: Path, files: Sequence[Path], *, offline: bool) -> None:
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
                f"not everything that {plan.source} pins is in uv's local cache: {first}", remedy="allow the network once, then try again"
            ) from first
        uv.progress("not everything is in uv's local cache: downloading the rest")
        await uv.run(*arguments, speak=True)


async def _compile(interpreter: Interpreter, temporary: Path, home: Path) -> None:
    """Compile once, because attempts write no bytecode. By the base interpreter without site: `.pth` files of packages do not run."""
    command = ("-I", "-S", "-m", "compileall", "-q", "-j", "2", "-s", str(temporary), "-p", str(home), str(temporary / "lib"))
    await _communicate((str(interpreter.base), *command), temporary, {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}, None)


class _Uv:
    """uv with what the user's shell and the workspace could set against us taken away."""

    def __init__(self, program: Path, root: Path, base: Path, progress: Progress) -> None:
        self.program = program
        self.root = root
        self.base = base
        self.progress = progress

    async def run(self, *arguments: str, speak: bool = False) -> str:
        """Run uv in the workspace (its index settings count) and hand back stdout; raises ConfigurationError or InfrastructureError."""
        variables = {name: value for name, value in os.environ.items() if name not in _OVERRIDES}
        variables |= {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
        code, stdout, stderr = await _communicate((str(self.program), *arguments), self.root, variables, self.progress if speak else None)
        if code:
            raise _explained(stderr)
        return stdout


def _explained(said: str) -> ConfigurationError | InfrastructureError:
    """What uv said, as the error that it is."""
    lines = [re.sub(r"^[^\w`'\"(]+", "", line).strip() for line in said.splitlines()]
    text = " ".join(line for line in lines if line and not line.startswith(("warning:", "Using Python", "Resolved")))[-800:]
    lowered = text.lower()
    if "no space left" in lowered or "os error 28" in lowered:
        return InfrastructureError(f"uv found the disk full: {text}", remedy=MAKE_ROOM)
    if ("no matching" in lowered and "hash" in lowered) or "hash mismatch" in lowered:
        return ConfigurationError(f"a package is not what the lock file pins: {text}", remedy="lock again, and find out why it changed")
    if any(
        word in lowered for word in ("no wheels", "building source distributions", "no-build", "no usable wheels", "source distribution")
    ):
        return ConfigurationError(
            f"a package has no wheel for this interpreter: {text}",
            remedy="install the environment yourself into .venv and name it: --python .venv/bin/python",
        )
    if any(word in lowered for word in ("error sending request", "dns error", "connect", "timed out")):
        return InfrastructureError(f"uv could not download: {text}", remedy="check network and proxy, then try again")
    return ConfigurationError(f"uv: {text}", remedy="install the environment yourself into .venv and name it: --python .venv/bin/python")


async def _communicate(
    command: tuple[str, ...], folder: Path, variables: Mapping[str, str], progress: Progress | None
) -> tuple[int, str, str]:
    """Run a program to its end; cancelling kills it and what it started before the cancellation goes on."""
    process = await asyncio.create_subprocess_exec(
        *_with_parent_death(command),
        cwd=folder,
        env=dict(variables),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        umask=0o022,  # an attempt may run as another user, who must be able to read what is built
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        stdout, stderr = await asyncio.gather(process.stdout.read(), _lines(process.stderr, progress))
        return await process.wait(), stdout.decode("utf-8", "replace"), stderr
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())


def _with_parent_death(command: tuple[str, ...]) -> tuple[str, ...]:
    """Let a kill -9 of suture end the build as well, where util-linux is there (it is in every Debian, Ubuntu and Fedora)."""
    setpriv = shutil.which("setpriv", path="/usr/bin:/bin")
    return (setpriv, "--pdeathsig", "KILL", *command) if setpriv else command


async def _lines(stream: asyncio.StreamReader, progress: Progress | None) -> str:
    kept: list[str] = []
    while line := (await stream.readline()).decode("utf-8", "replace"):
        kept.append(line)
        if progress is not None and line.startswith(("Downloading", "Prepared", "Installed")):
            progress(line.strip())
    return "".join(kept)


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
