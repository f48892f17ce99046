"""Limits of an attempt: what the kernel enforces by itself, and a watchdog for the rest.

Enforced by the kernel: CPU seconds, file size, open files and core dumps per process; processes per user namespace where suture is run by
an ordinary user; memory and processes of the whole tree where a control group can be had (see `cgroups`). The watchdog looks at the tree
every 20 or 50 ms for what is left, and for what was written to the attempt's memory file system. Between two looks a command can overshoot;
what it can overshoot by is bounded by RLIMIT_FSIZE and by the control group.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
from pathlib import Path

from suture_sandbox.backend import Ended
from suture_sandbox.environment import Limits

LOOK_SECONDS = 0.05
"""Time between two looks of the watchdog, where the kernel caps memory and processes."""

TREE_LOOK_SECONDS = 0.02
"""The same where only the watchdog does."""

_MIB = 1 << 20
_INODE_BYTES = 1024  # what an empty file costs in kernel memory, so that a million of them count
_INFRASTRUCTURE_PROCESSES = 1  # the shell that is the first process of the namespace
# The kernel's bounds lie so much above the limit that the watchdog comes first and can name the limit; they are the backstop.
_FILE_MARGIN_MIB = 512
_PROCESS_MARGIN = 64
ENDED_BY_SIGNAL: dict[int, Ended] = {signal.SIGXCPU: "timeout", signal.SIGXFSZ: "disk"}


def resource_limits(limits: Limits) -> tuple[str, ...]:
    """What the first process of an attempt sets with `ulimit`: CPU seconds (soft, hard), file size, open files, processes.

    No address space limit: it breaks JITs.
    """
    blocks = (limits.disk_mib + _FILE_MARGIN_MIB) * _MIB // 512
    processes = 2 * limits.processes + _PROCESS_MARGIN
    return tuple(map(str, (limits.cpu_seconds, limits.cpu_seconds + 5, blocks, limits.open_files, processes)))


class Watchdog:
    """Looks at one attempt from outside.

    `first` is the first process of its pid namespace, `scratch` a folder inside on the file system that it writes to.
    """

    def __init__(self, first: int, limits: Limits, *, tree: bool, scratch: str) -> None:
        self._first = first
        self._scratch = scratch
        self._limits = limits
        self._tree = tree

    @property
    def interval(self) -> float:
        """Seconds between two looks."""
        return TREE_LOOK_SECONDS if self._tree else LOOK_SECONDS

    def look(self) -> Ended | None:
        """The limit that is passed, None while all hold."""
        try:
            written = self._written()
            if written > self._limits.disk_mib * _MIB:
                return "disk"
            return self._look_at_tree(written) if self._tree else None
        except OSError:
            return None  # the attempt ended while it was looked at

    def stop_growth(self) -> None:
        """After the first process was killed: kill its group too, where no control group bounds the tree.

        The namespace dies when its first process is next scheduled. A fork bomb delays that by its own weight, and grows meanwhile.
        """
        with contextlib.suppress(OSError):
            if self._tree and os.getpgid(self._first) == self._first:
                os.killpg(self._first, signal.SIGKILL)

    def _written(self) -> int:
        root = os.statvfs(f"/proc/{self._first}/root{self._scratch}")
        return (root.f_blocks - root.f_bfree) * root.f_frsize + (root.f_files - root.f_ffree) * _INODE_BYTES

    def _look_at_tree(self, written: int) -> Ended | None:
        # the attempt's own /proc lists its namespace and nothing else, in one call: a fork bomb grows faster than a tree can be walked
        own = f"/proc/{self._first}/root/proc"
        pids = [name for name in os.listdir(own) if name.isdecimal()]  # noqa: PTH208  # hot path, names are enough
        if len(pids) - _INFRASTRUCTURE_PROCESSES > self._limits.processes:
            return "processes"
        tasks = resident = 0
        for pid in pids:
            with contextlib.suppress(OSError, ValueError, IndexError):
                fields = Path(own, pid, "stat").read_bytes().rpartition(b") ")[2].split()
                tasks += int(fields[17])
                resident += int(fields[21])
        if tasks - _INFRASTRUCTURE_PROCESSES > self._limits.processes:
            return "processes"
        limit = self._limits.memory_mib * _MIB
        if resident * resource.getpagesize() + written > limit and sum(_proportional(own, pid) for pid in pids) + written > limit:
            return "memory"
        return None


def _proportional(proc: str, pid: str) -> int:
    """Resident memory with shared pages split between those who share them; the precise figure, and the dear one."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(proc, pid, "smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return 0
