"""The system call filter of an attempt: a small classic BPF program, built here because bubblewrap takes it ready-made.

What it is: a second wall behind the namespaces. It refuses what no check needs and what kernels were broken through: tracing, keys,
mounting, new namespaces, BPF, io_uring, module loading, pushing characters into a terminal, and exotic socket families (AF_VSOCK
reaches a hypervisor from any network namespace). What it deliberately is not: an allow-list. A check may be any program.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Collection
from typing import NamedTuple

DENIED: dict[str, tuple[int, int]] = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "unshare": (272, 97),
    "setns": (308, 268),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "fanotify_init": (300, 262),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "open_by_handle_at": (304, 265),
    "syslog": (103, 116),
}
"""System call -> its number on x86_64 and on aarch64; answered with EPERM."""

ABSENT: dict[str, tuple[int, int]] = {
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "clone3": (435, 435),
}
"""Answered with ENOSYS, on which libraries fall back; clone3 hides its flags in memory, where a filter cannot look."""

_SOCKET_FAMILIES = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: each is confined by the network namespace
_TERMINAL_REQUESTS = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX
_CLONE_NEWUSER = 0x10000000

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENT_0, _ARGUMENT_1 = 0, 4, 16, 24


class _Machine(NamedTuple):
    audit: int
    column: int
    ioctl: int
    clone: int
    socket: int


_MACHINES = {
    "x86_64": _Machine(audit=0xC000003E, column=0, ioctl=16, clone=56, socket=41),
    "aarch64": _Machine(audit=0xC00000B7, column=1, ioctl=29, clone=220, socket=198),
}


FOR_ZYGOTE = frozenset({"mount", "umount2", "unshare", "setns"})
"""What a process that makes attempts may call."""


def build(machine: str, allowed: Collection[str] = ()) -> bytes | None:
    """The filter for `machine` (as `platform.machine()` names it) in the form that `bwrap --seccomp` reads; None where there is none.

    `allowed`: names in `DENIED` that this one lets through; `unshare` stands for clone's namespaces too.
    """
    known = _MACHINES.get(machine)
    if known is None:
        return None
    program = [
        _step(_LOAD, _ARCHITECTURE),
        _step(_EQUAL, known.audit, 1, 0),
        _refuse(errno.ENOSYS),  # another ABI (32-bit) has other numbers
        _step(_LOAD, _NUMBER),
        _step(_AT_LEAST, 0x40000000, 0, 1),
        _refuse(errno.ENOSYS),  # x32
    ]
    program += [
        step for name, numbers in DENIED.items() if name not in allowed for step in _when(numbers[known.column], [_refuse(errno.EPERM)])
    ]
    program += [step for numbers in ABSENT.values() for step in _when(numbers[known.column], [_refuse(errno.ENOSYS)])]
    program += _when(known.ioctl, [_step(_LOAD, _ARGUMENT_1), *_unless_any(_TERMINAL_REQUESTS, errno.EPERM)])
    if "unshare" not in allowed:
        program += _when(known.clone, [_step(_LOAD, _ARGUMENT_0), _step(_ANY_BIT, _CLONE_NEWUSER, 0, 1), _refuse(errno.EPERM), _allow()])
    program += _when(known.socket, [_step(_LOAD, _ARGUMENT_0), *_only(_SOCKET_FAMILIES, errno.EAFNOSUPPORT)])
    program.append(_allow())
    return b"".join(program)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _allow() -> bytes:
    return _step(_RETURN, _ALLOW)


def _refuse(error: int) -> bytes:
    return _step(_RETURN, _ERRNO | error)


def _when(number: int, steps: list[bytes]) -> list[bytes]:
    return [_step(_EQUAL, number, 0, len(steps)), *steps]


def _unless_any(values: tuple[int, ...], error: int) -> list[bytes]:
    tests = [_step(_EQUAL, value, len(values) - index, 0) for index, value in enumerate(values)]
    return [*tests, _allow(), _refuse(error)]


def _only(values: tuple[int, ...], error: int) -> list[bytes]:
    tests = [_step(_EQUAL, value, len(values) - index, 0) for index, value in enumerate(values)]
    return [*tests, _refuse(error), _allow()]
