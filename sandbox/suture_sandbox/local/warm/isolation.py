"""What a process that was forked from a zygote does before it runs anything: namespaces, mounts, files, limits, and no way back.

This file runs inside the sandbox, in the environment's own interpreter (3.8 or newer), without suture: standard library only. The order
matters. Mounts are made with the zygote's capabilities; then come a user namespace in which those mounts cannot be touched, landlock, the
loss of every capability, and the system call filter that cold attempts have.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
from typing import Any  # Python 3.8

NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_RDONLY, _NOSUID, _NODEV, _NOEXEC, _REMOUNT, _BIND, _REC, _PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
_DETACH = 2
_SET_PDEATHSIG, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _SET_SECCOMP, _CAP_AMBIENT, _SET_DUMPABLE = 1, 24, 38, 22, 47, 4
_LAST_CAPABILITY = 63
_OPENAT2, _LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 437, 444, 445, 446
_NO_SYMLINKS = 0x04 | 0x02  # RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS
_UP = 1  # IFF_UP

LEAST_LANDLOCK = 2
"""The first version forbids moving a file to another folder."""
SCRATCH = "/run/suture"
"""Where the attempt's memory file system is mounted while it is set up."""

_libc = ctypes.CDLL(None, use_errno=True)


class Refused(Exception):
    """Something cannot be set up here; a cold attempt may still be able to."""


def call(what: str, result: int) -> int:
    """The result of a system call; raises Refused for an error."""
    if result < 0:
        raise Refused(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def unshare(flags: int) -> None:
    """Leave namespaces."""
    call("unshare", _libc.unshare(flags))


def set_pid_namespace(fd: int) -> None:
    """Where the next child is born."""
    call("setns", _libc.setns(fd, NEWPID))


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount something; flags and data as in the system call."""
    arguments = [each.encode() if each is not None else None for each in (source, target, kind)]
    _check_mount(target, _libc.mount(*arguments, ctypes.c_ulong(flags), data.encode() if data else None))


def _check_mount(target: str, result: int) -> None:
    call("mount on " + target, result)


def die_with_parent(parent: int) -> None:
    """Be killed when the zygote dies, now included."""
    call("prctl", _libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0))
    if os.getppid() not in (parent, 0):
        os._exit(1)


def enter(order: dict[str, Any], content: int) -> None:
    """Make the calling process the first one of an attempt. `content`: descriptor of the files' bytes, one after another.

    Raises Refused where the kernel or a file does not allow it; OSError where a path is in the way.
    """
    unshare(NEWNS | NEWNET | NEWIPC | NEWUTS | NEWCGROUP)
    mount(None, "/", None, _REC | _PRIVATE)
    _file_systems(order)
    _files(order, content)
    _loopback()
    call("sethostname", _libc.sethostname(b"suture", 6))


def _file_systems(order: dict[str, Any]) -> None:
    """A memory file system for all that is written, the workspace as an overlay of it, and a /proc of this namespace's own."""
    root, again = order["root"], order["toolchain"]
    places = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in again]
    below = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    mount("tmpfs", SCRATCH, "tmpfs", _NOSUID | _NODEV, f"size={order['scratch_mib']}m,mode=0755")
    for name, mode in (("upper", 0o755), ("work", 0o755), ("tmp", 0o1777), ("vartmp", 0o1777), ("home", 0o700)):
        os.mkdir(f"{SCRATCH}/{name}")
        os.chmod(f"{SCRATCH}/{name}", mode)
    for name, place in (("tmp", "/tmp"), ("vartmp", "/var/tmp"), ("home", order["home"])):  # noqa: S108  # inside
        mount(f"{SCRATCH}/{name}", place, None, _BIND)
    state = os.fstat(below)
    os.chmod(f"{SCRATCH}/upper", state.st_mode & 0o7777)
    os.makedirs(root, exist_ok=True)
    layers = f"lowerdir=/proc/self/fd/{below},upperdir={SCRATCH}/upper,workdir={SCRATCH}/work,userxattr"
    mount("overlay", root, "overlay", _NOSUID | _NODEV, layers)
    for path, fd in places:
        _bind_again(path, fd)
    call("umount", _libc.umount2(SCRATCH.encode(), _DETACH))
    mount("tmpfs", "/dev/shm", "tmpfs", _NOSUID | _NODEV, f"size={order['shared_memory_mib']}m,mode=1777")  # noqa: S108  # inside
    mount("devpts", "/dev/pts", "devpts", _NOSUID | _NOEXEC, "newinstance,ptmxmode=0666,mode=620")
    mount("proc", "/proc", "proc", _NOSUID | _NODEV | _NOEXEC)
    for path in order["hidden_folders"]:
        mount("tmpfs", path, "tmpfs", _NOSUID | _NODEV | _RDONLY, "size=4k,mode=0555")
    for fd in (below, *(fd for _, fd in places)):
        os.close(fd)


def _bind_again(path: str, fd: int) -> None:
    """A part of the toolchain that lies below a place that was mounted over, at its own path again, read-only as it was."""
    if os.path.isdir(f"/proc/self/fd/{fd}"):
        os.makedirs(path, exist_ok=True)
    elif not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC))
    mount(f"/proc/self/fd/{fd}", path, None, _BIND | _REC)
    mount(None, path, None, _REMOUNT | _BIND | _RDONLY | _NOSUID | _NODEV)


class _How(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def _files(order: dict[str, Any], content: int) -> None:
    """Write what is laid over the workspace; never through a link."""
    for path, size in order["files"]:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        how = _How(os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644, _NO_SYMLINKS)
        fd = call("open " + path, _libc.syscall(_OPENAT2, -100, os.fsencode(path), ctypes.byref(how), ctypes.sizeof(how)))
        _copy(content, fd, size)
        os.close(fd)
    for path in order["deleted"]:
        try:
            os.unlink(path)
        except FileNotFoundError:
            continue


def _copy(source: int, target: int, left: int) -> None:
    while left:
        piece = os.read(source, min(left, 1 << 20))
        if not piece:
            raise Refused("the files' bytes end too early")
        left -= len(piece)
        while piece:
            piece = piece[os.write(target, piece) :]


def _loopback() -> None:
    """An empty network of its own, with a loopback that works."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sH14x", b"lo", _UP)
        fcntl.ioctl(probe, 0x8914, request)  # SIOCSIFFLAGS


def renounce(order: dict[str, Any]) -> None:
    """Set the limits and give up everything that is not needed to run a program."""
    cpu_soft, cpu_hard, blocks, files, processes = order["limits"]
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_soft, cpu_hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (blocks * 512, blocks * 512))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))
    user, group = os.getuid(), os.getgid()
    unshare(NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{order['user']} {user} 1"), ("gid_map", f"{order['user']} {group} 1")):
        fd = os.open("/proc/self/" + name, os.O_WRONLY | os.O_CLOEXEC)
        os.write(fd, text.encode())
        os.close(fd)
    forbid_new_privileges()
    _landlock(order["readable"], order["writable"])
    drop_capabilities(())
    call("prctl", _libc.prctl(_SET_DUMPABLE, 1, 0, 0, 0))  # so that /proc/1/fd, where the report is, can be opened
    filter_calls(bytes.fromhex(order["filter"]))


def forbid_new_privileges() -> None:
    """No program that is started gives any right."""
    call("prctl", _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def drop_capabilities(kept: tuple[int, ...]) -> None:
    """Lose all capabilities but these, for good where there are none."""
    for number in range(_LAST_CAPABILITY + 1):
        if number not in kept and _libc.prctl(_CAPBSET_DROP, number, 0, 0, 0) < 0:
            break  # the kernel knows no more of them
    _libc.prctl(_CAP_AMBIENT, 4, 0, 0, 0)
    low = sum(1 << number for number in kept if number < 32)
    high = sum(1 << (number - 32) for number in kept if number >= 32)
    header = struct.pack("=II", 0x20080522, 0)
    call("capset", _libc.capset(header, struct.pack("=IIIIII", low, low, 0, high, high, 0)))


def filter_calls(program: bytes) -> None:
    """Install a system call filter (classic BPF); none where it is empty."""
    if not program:
        return
    code = ctypes.create_string_buffer(program, len(program))
    filled = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    call("prctl", _libc.prctl(_SET_SECCOMP, 2, filled, 0, 0))


# Landlock's rights (its ABI's number says which the kernel knows).
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_FOLDER_RIGHTS = sum(1 << number for number in range(4, 13))  # remove, make
_SINCE = {2: 1 << 13, 3: 1 << 14, 5: 1 << 15}  # refer, truncate, device ioctl
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | (1 << 14) | (1 << 15)


def landlock_abi() -> int:
    """The version of landlock here; 0 where there is none."""
    return max(0, int(_libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)))


def _landlock(readable: list[str], writable: list[str]) -> None:
    """What the mounts say, said again: where may be read and executed, and where written; elsewhere names are seen, and nothing else."""
    abi = landlock_abi()
    if abi < LEAST_LANDLOCK:
        return
    every = _READ | _WRITE_FILE | _FOLDER_RIGHTS | sum(right for since, right in _SINCE.items() if abi >= since)
    rules = struct.pack("=Q", every)
    fd = call("landlock", _libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(len(rules)), 0))
    for paths, rights in ((["/"], _READ_DIR), (readable, _READ), (writable, every)):
        for path in paths:
            _allow(fd, path, rights & every)
    call("landlock", _libc.syscall(_LANDLOCK_RESTRICT, fd, 0))
    os.close(fd)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    if not os.path.isdir(path):
        rights &= _OF_FILES
    call("landlock " + path, _libc.syscall(_LANDLOCK_ADD, rules, 1, struct.pack("=Qi", rights, place), 0))
    os.close(place)
