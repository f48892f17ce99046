"""What a command sees in fast mode: made by mounting, inside namespaces of its own, on top of what the container has.

What all attempts have in common is made once (`prepare`), by a process that attempts are children of; the rest is each one's own.

Everything that can be written is one memory file system, so that one number says how much was written. The rest is the container's
read-only image, a /proc of its own, and devices without a door. What is covered here cannot be uncovered: the command has no right to
unmount.
"""

from __future__ import annotations

import os
import stat
from typing import NamedTuple

from suture_sandbox.docker.inside.kernel import (
    MS_BIND,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    SAFE,
    bind,
    map_user,
    mount,
    seal,
)
from suture_sandbox.docker.inside.request import BASE, INSIDE, MIB

_MASKED = ("kcore", "keys", "timer_list", "latency_stats", "sched_debug", "kallsyms", "kmsg")
_ROOT_ONLY = ("/etc/shadow", "/etc/gshadow", "/etc/shadow-", "/etc/gshadow-")
_READ_ONLY = ("sys", "sysrq-trigger", "irq", "bus", "fs")
_FOLDERS = (("up", 0o755), ("work", 0o755), ("tmp", 0o1777), ("var", 0o1777), ("home", 0o700), ("report", 0o700), ("data", 0o700))
_MARGIN = 4 * MIB
"""What fits beyond the limit on disk, so that what was written says which limit it was that was reached."""


class Ground(NamedTuple):
    """What is the same for every attempt in a container."""

    sealed: list[str]
    """Places of /proc that are read-only."""
    masked: list[str]
    """Places of /proc that appear empty."""


def prepare(user: int, group: int) -> Ground:
    """In a new user and mount namespace, once for a container: what attempts have in common.

    `user` and `group` are those outside. Raises OSError where it is not allowed.
    """
    writable = _writable_places()
    map_user(user, group, INSIDE)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    for place in writable:
        seal(place)
    mount(None, "/dev", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID)
    for place in _ROOT_ONLY:
        if os.path.exists(place):
            bind("/dev/null", place)
    mount("tmpfs", "/sys", "tmpfs", SAFE | MS_NOEXEC | MS_RDONLY, "size=4096,mode=0555")
    sealed, masked = ([f"/proc/{name}" for name in names if os.path.exists(f"/proc/{name}")] for names in (_READ_ONLY, _MASKED))
    return Ground(sealed, masked)


def lay(ground: Ground, root: str, *, disk_mib: int, shared_memory: int, home: str, fresh: bool) -> None:
    """In namespaces of an attempt's own: its places, all in one memory file system, and the workspace.

    The workspace is an overlay; as it is, and read-only, where it need not be `fresh`.
    """
    source = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)  # before something is laid over it
    mount("tmpfs", BASE, "tmpfs", SAFE, f"size={disk_mib * MIB + _MARGIN},nr_inodes={disk_mib * 1024 + 4096},mode=0755")
    for name, mode in _FOLDERS:
        os.mkdir(f"{BASE}/{name}")
        os.chmod(f"{BASE}/{name}", mode)
    for name, place in (("tmp", "/tmp"), ("var", "/var/tmp"), ("home", home)):
        bind(f"{BASE}/{name}", place)
    mount("tmpfs", "/dev/shm", "tmpfs", SAFE, f"size={shared_memory},mode=1777")
    mount("mqueue", "/dev/mqueue", "mqueue", SAFE | MS_NOEXEC)
    mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620")
    _processes(ground)
    _workspace(root, source, fresh=fresh)
    os.close(source)


def _workspace(root: str, source: int, *, fresh: bool) -> None:
    """The workspace at its own path, even where that lies in a place that was just laid anew.

    The lower folder is named by `.`, since a path may hold characters that divide the options of a mount.
    """
    os.makedirs(root, exist_ok=True)
    os.fchdir(source)
    if fresh:
        os.chmod(f"{BASE}/up", stat.S_IMODE(os.fstat(source).st_mode))
        mount("overlay", root, "overlay", SAFE, f"lowerdir=.,upperdir={BASE}/up,workdir={BASE}/work,userxattr")
    else:
        bind(".", root)
        seal(root)
    os.chdir("/")


def _writable_places() -> list[str]:
    """Mounts of the container that can be written to and are not laid anew for attempts, such as volumes that an image declares."""
    with open("/proc/self/mountinfo", "rb") as file:
        fields = [line.split(b" ") for line in file]
    found = [os.fsdecode(row[4].decode("unicode_escape").encode("latin-1")) for row in fields if b"rw" in row[5].split(b",")]
    return [place for place in found if place.split("/")[1] not in ("proc", "sys", "dev")]


def cover(path: str) -> None:
    """Let a folder appear empty."""
    if os.path.isdir(path):
        mount("tmpfs", path, "tmpfs", SAFE | MS_NOEXEC | MS_RDONLY, "size=4096,mode=0555")


def _processes(ground: Ground) -> None:
    """A /proc that shows the attempt and nothing else, without what a kernel shows to the curious."""
    mount("proc", "/proc", "proc", SAFE | MS_NOEXEC)
    for place in ground.sealed:
        bind(place, place)
        seal(place, SAFE | MS_NOEXEC)
    for place in ground.masked:
        bind("/dev/null", place)
