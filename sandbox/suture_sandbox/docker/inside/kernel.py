"""The kernel's calls that the standard library has no name for: mounts, namespaces, privileges; and figures of control groups."""

from __future__ import annotations

import ctypes
import os
import signal
import struct
from collections.abc import Sequence

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
SAFE = MS_NOSUID | MS_NODEV

NEW_USER, NEW_MOUNTS, NEW_PIDS, NEW_IPC = 0x10000000, 0x00020000, 0x20000000, 0x08000000
OF_ATTEMPTS = NEW_MOUNTS | NEW_PIDS | NEW_IPC
NEEDED = (0, 1, 3, 4, 8, 21)
"""CAP_CHOWN, DAC_OVERRIDE, FOWNER, FSETID, SETPCAP, SYS_ADMIN: what makes the views of attempts, in a user namespace that is not the
host's, and gives itself up."""

_SET_DUMPABLE, _SET_SECCOMP, _DROP_CAPABILITY, _SET_NO_NEW_PRIVS, _AMBIENT = 4, 22, 24, 38, 47
_RAISE, _CLEAR = 2, 4
_CLONE = {"x86_64": 56, "aarch64": 220}

_libc = ctypes.CDLL(None, use_errno=True)
_undivided = ctypes.PyDLL(None, use_errno=True)  # calls that keep the interpreter's lock


class _Filter(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("program", ctypes.c_char_p))


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """One mount; raises OSError that names the place."""
    names = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _checked(_libc.mount(*names, ctypes.c_ulong(flags), os.fsencode(options)), f"mount {target}")


def bind(source: str, target: str) -> None:
    """Bind one place to another."""
    mount(source, target, None, MS_BIND)


def seal(target: str, flags: int = SAFE) -> None:
    """Make a mount read-only."""
    mount(None, target, None, MS_REMOUNT | MS_BIND | MS_RDONLY | flags)


def new_namespaces(flags: int) -> int:
    """A child in namespaces of its own, made in one call: its end is the end of everything in them. 0 in the child.

    Not `os.fork` and `unshare`: that takes one process more, whose death would have to be tied to this one's. Python is told of the fork,
    since what runs here may be more than this program.
    """
    number = _CLONE.get(os.uname().machine)
    if number is None:
        raise OSError(0, f"no namespaces on {os.uname().machine}")
    nothing = ctypes.c_ulong(0)
    ctypes.pythonapi.PyOS_BeforeFork()
    child: int = _undivided.syscall(ctypes.c_long(number), ctypes.c_ulong(flags | signal.SIGCHLD), nothing, nothing, nothing, nothing)
    if child == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    return _checked(child, "clone")


def map_user(user: int, group: int, inside: int) -> None:
    """In a new user namespace: be user and group `inside`, and let no other user exist."""
    show(True)
    for name, text in (("setgroups", "deny"), ("gid_map", f"{inside} {group} 1"), ("uid_map", f"{inside} {user} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    show(False)


def show(visible: bool) -> None:
    """Whether processes of the same user may look into this one."""
    _prctl(_SET_DUMPABLE, int(visible))


def keep_rights(kept: Sequence[int]) -> None:
    """Lose every capability but these, for good; programs that are started have these too, and none more."""
    for capability in range(64):
        if capability not in kept and _prctl(_DROP_CAPABILITY, capability) < 0:
            break  # the kernel knows no more of them, or there is none to drop
    _set_capabilities(kept)
    for capability in kept:
        _checked(_prctl(_AMBIENT, _RAISE, ctypes.c_ulong(capability)), "capabilities")


def give_up_rights() -> None:
    """Lose every capability for good, and let no program that is started give any."""
    for capability in NEEDED:  # there are no others: `keep_rights` has seen to it, or the daemon
        _prctl(_DROP_CAPABILITY, capability)
    _prctl(_AMBIENT, _CLEAR)
    _set_capabilities(())
    forbid_new_rights()


def forbid_new_rights() -> None:
    """Let no program that is started give any right."""
    _prctl(_SET_NO_NEW_PRIVS, 1)


def _set_capabilities(kept: Sequence[int]) -> None:
    mask = sum(1 << number for number in kept)
    header, data = struct.pack("=II", 0x20080522, 0), struct.pack("=IIIIII", mask, mask, mask, 0, 0, 0)
    _checked(_libc.capset(header, data), "capset")


def filter_calls(program: bytes) -> None:
    """Put a system call filter on this process for good."""
    loaded = _Filter(len(program) // 8, program)
    _checked(_prctl(_SET_SECCOMP, 2, ctypes.byref(loaded)), "seccomp")


class Counters:
    """Two figures of the container's control group: processes killed for want of memory, and processes refused."""

    def __init__(self, files: Sequence[tuple[int, str]] = ()) -> None:
        """`files`: what another process of this container has opened, which may not see them any more."""
        self.files = [*files] or _counters()

    @property
    def usable(self) -> bool:
        """Whether both can be told; not so under a runtime that shows no control groups inside."""
        return all(file >= 0 for file, _ in self.files)

    def read(self) -> tuple[int, int]:
        """Both figures now; 0 where they cannot be told."""
        killed, refused = (0 if file < 0 else _figure(os.pread(file, 4096, 0), key.encode()) for file, key in self.files)
        return killed, refused


def _counters() -> list[tuple[int, str]]:
    group = "/sys/fs/cgroup/"
    named = (("memory.events", "oom_kill"), ("pids.events", "max"))
    if not os.path.exists(f"{group}memory.events"):
        named = (("memory/memory.oom_control", "oom_kill"), ("pids/pids.events", "max"))
    return [(_opened(group + name), key) for name, key in named]


def _opened(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


def _figure(text: bytes, key: bytes) -> int:
    for line in text.splitlines():
        name, _, value = line.partition(b" ")
        if name == key:
            return int(value)
    return 0


def _prctl(option: int, value: int, pointer: object = None) -> int:
    result: int = _libc.prctl(option, ctypes.c_ulong(value), pointer, ctypes.c_ulong(0), ctypes.c_ulong(0))
    return result


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
