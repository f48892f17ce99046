"""Control groups: the kernel's own cap on memory and processes of a whole tree, where suture may make one.

A group belongs to a worker thread, not to an attempt: moving a process costs 10 ms (a grace period of the kernel), while a child is
born into its parent thread's group for nothing. Version 1 lets a single thread join a group; version 2 does not for memory, so there the
watchdog of `limits` does the work, which the probe says. A group is removed when the backend closes or the interpreter ends; after kill -9
it stays as an empty folder until the next backend starts and reaps it.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path

import msgspec

from suture_sandbox.environment import Limits

PREFIX = "suture-"
_NAME = re.compile(r"suture-(\d+)-\d+$")
_CONTROLLERS = ("memory", "pids")
_OURS = 3  # the thread itself, bubblewrap outside and the first process inside


class Usage(msgspec.Struct, frozen=True):
    """Counters of a group at one moment."""

    out_of_memory: int
    """Processes that the kernel killed for want of memory."""
    refused_processes: int


class Group:
    """The control group of one worker thread, under each version 1 controller."""

    def __init__(self, parents: dict[str, Path], thread: int) -> None:
        self._folders = {name: parent / f"{PREFIX}{os.getpid()}-{thread}" for name, parent in parents.items()}
        self._limits: Limits | None = None

    def enter(self) -> None:
        """Make the group and move the calling thread into it; raises OSError where that is not allowed."""
        for folder in self._folders.values():
            folder.mkdir(exist_ok=True)
            (folder / "tasks").write_text(str(threading.get_native_id()))

    def limit(self, limits: Limits) -> None:
        """Set the caps for the next attempt of this thread."""
        if limits == self._limits:
            return
        self._limits = None
        memory, cap = self._folders["memory"], str(limits.memory_mib << 20)
        with_swap = memory / "memory.memsw.limit_in_bytes"  # absent where the kernel does not account for swap
        if with_swap.exists():
            with_swap.write_text("-1")  # it may never be below the other
        (memory / "memory.limit_in_bytes").write_text(cap)
        if with_swap.exists():
            with_swap.write_text(cap)
        (self._folders["pids"] / "pids.max").write_text(str(limits.processes + _OURS))
        self._limits = limits

    def usage(self) -> Usage:
        """The counters now; an attempt's share is a difference of two."""
        return Usage(
            out_of_memory=_counter(self._folders["memory"] / "memory.oom_control", "oom_kill"),
            refused_processes=_counter(self._folders["pids"] / "pids.events", "max"),
        )

    def remove(self) -> None:
        """Remove the folders; the thread must have ended."""
        for folder in self._folders.values():
            _remove(folder)


def find_parents(root: Path = Path("/sys/fs/cgroup")) -> dict[str, Path]:
    """Folder of this process's own group under each controller; empty where groups cannot be made."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return {}
    own = {name: path for _, names, path in (line.split(":", 2) for line in lines) for name in names.split(",")}
    parents = {name: root / name / own[name].lstrip("/") for name in _CONTROLLERS if name in own}
    usable = len(parents) == len(_CONTROLLERS) and all(os.access(folder, os.W_OK) for folder in parents.values())
    return parents if usable else {}


def reap(parents: dict[str, Path]) -> None:
    """Remove the groups of processes that are gone."""
    for parent in parents.values():
        for folder in parent.glob(f"{PREFIX}*"):
            name = _NAME.match(folder.name)
            if name and not Path("/proc", name[1]).exists():
                _remove(folder)


def _counter(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


def _remove(folder: Path) -> None:
    for _ in range(20):
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.01)  # busy until the last process is reaped
        else:
            return
