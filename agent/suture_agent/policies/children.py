"""Helper processes that cannot outlive suture: they are killed by the kernel when their parent dies, and by us when a task is cancelled.

Linux only for the first half (PR_SET_PDEATHSIG); elsewhere a killed parent leaves the helper to finish by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

_TIE = """
import ctypes, os, signal, sys
try:
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
except (OSError, AttributeError):
    pass
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""


def tied(argv: Sequence[str]) -> list[str]:
    """The command, run so that it dies with this process. `-I` keeps the working folder off the module path."""
    return [sys.executable, "-I", "-S", "-c", _TIE, str(os.getpid()), *argv]


@asynccontextmanager
async def child(
    argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, quiet: bool = True
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A helper in its own process group, killed with everything in it when the block is left."""
    pipe = asyncio.subprocess.PIPE if quiet else None
    process = await asyncio.create_subprocess_exec(
        *tied(argv), cwd=cwd, env=env, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, start_new_session=True
    )
    try:
        yield process
    finally:
        await asyncio.shield(end(process))


async def end(process: asyncio.subprocess.Process, grace: float = 0.0) -> None:
    """Kill a helper's process group, after a polite request and `grace` seconds; idempotent."""
    if process.returncode is None and grace > 0:
        _signal(process.pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), grace)
    _signal(process.pid, signal.SIGKILL)
    await process.wait()


async def output_of(argv: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run a helper to its end: exit code, stdout, stderr."""
    async with child(argv, cwd=cwd, env=env) as process:
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(errors="replace"), err.decode(errors="replace")


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
