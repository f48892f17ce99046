"""What a language server holds of the machine: memory, descriptors, processes, mounts, temporary files, control groups."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import psutil

from suture_sandbox.local import cgroups

WORKER = "suture_server.worker"
"""In the command line of the process that does a server's work."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One look."""

    seconds: float
    sent: int
    """Messages sent until then."""
    server_mb: float
    workers_mb: float
    server_files: int
    worker_files: int
    processes: int
    """All below the server, those of running attempts included."""
    zombies: int
    mounts: int
    temporary: int
    groups: int


def look(pid: int, sent: int, temporary: Path, since: float) -> Sample:
    """Count now. `temporary` is the server's own TMPDIR; what it left elsewhere could be anybody's."""
    server = psutil.Process(pid)
    below = server.children(recursive=True)
    workers = [each for each in below if is_worker(each)]
    return Sample(
        seconds=round(time.monotonic() - since, 3),
        sent=sent,
        server_mb=server.memory_info().rss / 1e6,
        workers_mb=sum(_quietly(each, lambda process: process.memory_info().rss) for each in workers) / 1e6,
        server_files=server.num_fds(),
        worker_files=sum(_quietly(each, psutil.Process.num_fds) for each in workers),
        processes=len(below),
        zombies=sum(_quietly(each, lambda process: process.status() == psutil.STATUS_ZOMBIE) for each in below),
        mounts=mounts(),
        temporary=len(list(temporary.iterdir())),
        groups=len(groups([pid, *(each.pid for each in workers)])),
    )


def is_worker(process: psutil.Process) -> bool:
    """Whether this is the process that works for a server."""
    return bool(_quietly(process, lambda each: WORKER in each.cmdline()))


def mounts() -> int:
    """Mounts that this process sees, and with it everything that is not in a namespace of its own."""
    return len(Path("/proc/self/mounts").read_bytes().splitlines())


def groups(pids: Sequence[int]) -> list[Path]:
    """Control groups that these processes have made."""
    return [path for parent in cgroups.find_parents().values() for pid in pids for path in parent.glob(f"suture-{pid}-*")]


def growth(points: Sequence[tuple[float, float]]) -> float:
    """The median of the slopes between all pairs of points (Theil-Sen): one outlier, or a step at the end, does not decide it."""
    slopes = [
        (later[1] - earlier[1]) / (later[0] - earlier[0])
        for number, earlier in enumerate(points)
        for later in points[number + 1 :]
        if later[0] != earlier[0]
    ]
    ordered = sorted(slopes)
    return ordered[len(ordered) // 2] if ordered else 0.0


def _quietly(process: psutil.Process, ask: Any) -> Any:
    """What is asked, 0 for a process that has ended meanwhile."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        return ask(process)
    return 0
