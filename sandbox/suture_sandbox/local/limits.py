"""Limits of an attempt: what the kernel enforces by itself, and a watchdog for the rest.

Enforced by the kernel: CPU seconds, file size, open files and core dumps per process; processes per user namespace where suture is run
by an ordinary user; memory and processes of the whole tree where a control group can be had (see `cgroups`). The watchdog looks at the tree
every 50 ms for what is left, and for what was written to the attempt's memory file system. Between two looks a command can overshoot; what
it can overshoot by is bounded by RLIMIT_FSIZE and by the control group.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

from suture_sandbox.backend import Ended
from suture_sandbox.environment import Limits

LOOK_SECONDS = 0.05
"""Time between two looks of the watchdog."""

_MIB = 1 << 20
_INODE_BYTES = 1024  # what an empty file costs in kernel memory, so that a million of them count
_INFRASTRUCTURE_PROCESSES = 1  # the shell that is the first process of the namespace
_FILE_MARGIN_MIB = 512  # so much above the limit that the watchdog comes first and can name it; the kernel's bound is the backstop
ENDED_BY_SIGNAL: dict[int, Ended] = {signal.SIGXCPU: "timeout", signal.SIGXFSZ: "disk"}


def apply_resource_limits(pid: int, limits: Limits) -> None:
    """Set the kernel's limits on the first process of an attempt; what it starts inherits them.

    No address space limit: it breaks JITs. Open files are limited by the first process itself: bubblewrap needs more of them before it.
    """
    wanted = {
        resource.RLIMIT_CPU: (limits.cpu_seconds, limits.cpu_seconds + 5),
        resource.RLIMIT_FSIZE: ((limits.disk_mib + _FILE_MARGIN_MIB) * _MIB,) * 2,
        resource.RLIMIT_NPROC: (limits.processes + 1 + _INFRASTRUCTURE_PROCESSES,) * 2,
        resource.RLIMIT_CORE: (0, 0),
    }
    for kind, pair in wanted.items():
        ceiling = resource.prlimit(pid, kind)[1]
        bound = max(pair) if ceiling == resource.RLIM_INFINITY else ceiling
        resource.prlimit(pid, kind, (min(pair[0], bound), min(pair[1], bound)))


class Watchdog:
    """Looks at one attempt from outside; `first` is the first process of its pid namespace."""

    def __init__(self, first: int, limits: Limits, *, tree: bool) -> None:
        self._first = first
        self._limits = limits
        self._tree = tree

    def look(self) -> Ended | None:
        """The limit that is passed, None while all hold."""
        try:
            written = self._written()
            if written > self._limits.disk_mib * _MIB:
                return "disk"
            return self._look_at_tree(written) if self._tree else None
        except OSError:
            return None  # the attempt ended while it was looked at

    def _written(self) -> int:
        place = f"/proc/{self._first}/root"
        if os.stat(place).st_dev == os.stat("/").st_dev:  # noqa: PTH116  # hot path, str is enough
            return 0  # bubblewrap is still at work on the mounts
        root = os.statvfs(place)
        return (root.f_blocks - root.f_bfree) * root.f_frsize + (root.f_files - root.f_ffree) * _INODE_BYTES

    def _look_at_tree(self, written: int) -> Ended | None:
        pids: list[int] = []
        tasks = resident = 0
        for pid in descendants(self._first):
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()
                tasks += int(fields[17])
                resident += int(fields[21])
                pids.append(pid)
            if tasks - _INFRASTRUCTURE_PROCESSES > self._limits.processes:
                return "processes"  # at once: a fork bomb grows faster than it can be counted
        limit = self._limits.memory_mib * _MIB
        if resident * resource.getpagesize() + written > limit and sum(map(_proportional, pids)) + written > limit:
            return "memory"
        return None


def descendants(first: int) -> Iterator[int]:
    """A process and all that descend from it; orphans of a pid namespace fall to its first process, so none is missed."""
    waiting = [first]
    while waiting:
        pid = waiting.pop()
        yield pid
        with contextlib.suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208  # names are enough
                waiting.extend(int(child) for child in Path(f"/proc/{pid}/task/{thread}/children").read_bytes().split())


def _proportional(pid: int) -> int:
    """Resident memory with shared pages split between those who share them; the precise figure, and the dear one."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return 0
