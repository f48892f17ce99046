"""The uv program: found, started with what could be set against suture taken away, and its refusals told as suture's own errors."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.project import MAKE_ROOM

Progress = Callable[[str], None]

_OVERRIDES = frozenset(
    {
        *("UV_FROZEN", "UV_LOCKED", "UV_OFFLINE", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "UV_SYSTEM_PYTHON", "UV_NO_BINARY", "UV_NO_BUILD"),
        *("UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_REQUIRE_HASHES", "UV_NO_VERIFY_HASHES", "UV_CONSTRAINT", "UV_OVERRIDE", "UV_LINK_MODE"),
        *("UV_COMPILE_BYTECODE", "UV_EXCLUDE_NEWER", "UV_NO_SYNC", "UV_ENV_FILE"),
        *("VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"),
    }
)
"""Variables of the user's shell that would change what is built. Indexes, proxies, certificates and credentials stay."""


_INDEXES = frozenset({"UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_CONFIG_FILE"})


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


class Uv:
    """uv with what the user's shell and the workspace could set against us taken away."""

    def __init__(self, program: Path, root: Path, base: Path, progress: Progress) -> None:
        self.program = program
        self.root = root
        self.base = base
        self.progress = progress

    async def run(self, *arguments: str, speak: bool = False, alone: bool = False) -> str:
        """Run uv in the workspace and hand back stdout; raises ConfigurationError or InfrastructureError.

        Its index settings and the user's count, but for a run that needs no index and may fail for want of one (`alone`).
        """
        left_out = _OVERRIDES | _INDEXES if alone else _OVERRIDES
        variables = {name: value for name, value in os.environ.items() if name not in left_out}
        variables |= {"UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
        code, stdout, stderr = await communicate((str(self.program), *arguments), self.root, variables, self.progress if speak else None)
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


async def communicate(
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
