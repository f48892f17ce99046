"""Whose a container is: a label that says which process made it, and whether that process still is.

A process id alone comes round again; with the boot and the start of the process it names one process for good. The pid namespace is there
because a suture inside a container may share a daemon with one outside, and neither can see whether the other lives.
"""

from __future__ import annotations

import os
from pathlib import Path

LABEL = "suture.owner"
"""Which process made a container."""
BACKEND = "suture.backend"
"""Which backend of that process: a process may have several."""


def mine() -> str:
    """The label's value for this process."""
    return f"{_boot()}/{_namespace()}/{os.getpid()}/{_started(os.getpid())}"


def is_dead(owner: str) -> bool:
    """Whether the owner is known to be gone; of what cannot be known, no."""
    parts = owner.split("/")
    if len(parts) != 4 or not parts[2].isdecimal():
        return False
    boot, namespace, pid, started = parts
    if boot != _boot():
        return True
    return namespace == _namespace() and _started(int(pid)) != started


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _namespace() -> str:
    return os.readlink("/proc/self/ns/pid").strip("pid:[]")  # noqa: PTH115  # no path that exists


def _started(pid: int) -> str:
    """When the process was started, in ticks since the boot; empty where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[19]
    except OSError:
        return ""
