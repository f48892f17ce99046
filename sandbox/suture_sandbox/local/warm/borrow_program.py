"""Becoming another user who sees a workspace as its own: run by root on the host, it ends by becoming bubblewrap.

In a mount namespace of its own it lays the workspace over itself, its owner's files owned by the borrowed user (an idmapped mount, Linux
5.12), makes what bubblewrap needs reachable where a folder above lets nobody else in (root's home), and gives up being root. Nothing of
the machine changes: the namespace ends with the process. Standard library only, and nothing of suture's.

    python -I -S borrow_program.py TASK PROGRAM ARGV0 [ARGUMENT ...]

TASK is JSON: `root` (the workspace), `owner` (user and group whose files are to be the borrowed user's), `user` (and group, to become),
`needed` (paths), `parent` (process id). What this kernel or file system does not allow it says on standard error, and ends with 1.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import stat
import struct
import sys
from collections.abc import Iterable

_NEW_MOUNTS, _NEW_USER = 0x20000, 0x10000000
_REC, _PRIVATE, _NOSUID, _NODEV = 16384, 1 << 18, 2, 4
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR = 428, 429, 442
_HERE, _EMPTY_PATH, _RECURSIVE, _CLONE = -100, 0x1000, 0x8000, 1
_FROM_DESCRIPTOR, _IDMAP, _READ_ONLY, _SET_DEATH_SIGNAL = 4, 0x00100000, 1, 1

_libc = ctypes.CDLL(None, use_errno=True)


def main(task: str, program: str, *argv: str) -> None:
    """Do it; does not come back."""
    told = json.loads(task)
    root: str = told["root"]
    user, group = told["user"]
    _die_with(told["parent"])
    _checked(_libc.unshare(_NEW_MOUNTS), "unshare")
    _mount(None, "/", None, _REC | _PRIVATE)
    paths = _outermost([root, *told["needed"]])
    if root not in paths:
        sys.exit(f"{root} lies inside its own toolchain")
    trees = {path: _tree(path, whole=path != root) for path in paths if path == root or not _reachable(path)}
    _give_to(trees[root], told["owner"], told["user"])
    for folder in sorted({closed for path in trees if (closed := _closed(path))}):
        _mount("tmpfs", folder, "tmpfs", _NOSUID | _NODEV, "mode=0755,size=1m")
    for path, tree in trees.items():
        _make(path, os.fstat(tree).st_mode)
        _checked(_libc.syscall(_MOVE_MOUNT, tree, b"", _HERE, os.fsencode(path), _FROM_DESCRIPTOR), f"move_mount to {path}")
        os.close(tree)
    os.chdir("/")
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)
    _die_with(told["parent"])  # which is forgotten when the user changes
    os.execv(program, argv)  # noqa: S606  # that is the point


def _outermost(paths: Iterable[str]) -> list[str]:
    """Those that lie in no other."""
    found: list[str] = []
    for path in sorted(set(paths), key=lambda each: each.split("/")):
        if not any(path.startswith(other.rstrip("/") + "/") for other in found):
            found.append(path)
    return found


def _closed(path: str) -> str:
    """The topmost folder above a path that lets nobody else in; empty where all do."""
    parts = path.split("/")[1:-1]
    above = ("/" + "/".join(parts[: number + 1]) for number in range(len(parts)))
    return next((folder for folder in above if not os.stat(folder).st_mode & stat.S_IXOTH), "")


def _reachable(path: str) -> bool:
    wanted = stat.S_IXOTH if os.path.isdir(path) else stat.S_IROTH
    return not _closed(path) and bool(os.stat(path).st_mode & wanted)


def _tree(path: str, *, whole: bool) -> int:
    """A copy of a mount that hangs nowhere yet; with `whole` what is mounted below it too."""
    flags = _CLONE | os.O_CLOEXEC | (_RECURSIVE if whole else 0)
    return _checked(_libc.syscall(_OPEN_TREE, _HERE, os.fsencode(path), flags), f"open_tree {path}")


def _give_to(tree: int, owner: list[int], user: list[int]) -> None:
    """Let the files of one user and group appear as another's, for reading."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        made = _libc.unshare(_NEW_USER)
        os.write(writing, bytes([made == 0]))
        signal.pause()
    try:
        if os.read(reading, 1) != b"\1":
            sys.exit("a user namespace cannot be made")
        for name, mine, theirs in zip(("uid_map", "gid_map"), owner, user):  # noqa: B905  # they are three times two
            with open(f"/proc/{child}/{name}", "w") as file:
                file.write(f"{mine} {theirs} 1")
        with open(f"/proc/{child}/ns/user", "rb") as space:
            wanted = struct.pack("=QQQQ", _IDMAP | _READ_ONLY | _NOSUID | _NODEV, 0, 0, space.fileno())  # `struct mount_attr`
            size = ctypes.c_size_t(len(wanted))
            _checked(_libc.syscall(_MOUNT_SETATTR, tree, b"", _EMPTY_PATH, wanted, size), "mount_setattr")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reading)
        os.close(writing)


def _make(path: str, mode: int) -> None:
    """A place to mount on, where there is none."""
    if stat.S_ISDIR(mode):
        os.makedirs(path, exist_ok=True)
    elif not os.path.lexists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_CLOEXEC, 0o644))


def _die_with(parent: int) -> None:
    _checked(_libc.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        sys.exit(1)


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str = "") -> None:
    names = [None if text is None else os.fsencode(text) for text in (source, target, kind)]
    _checked(_libc.mount(*names, ctypes.c_ulong(flags), os.fsencode(options)), f"mount {target}")


def _checked(result: int, what: str) -> int:
    if result < 0:
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


if __name__ == "__main__":
    main(*sys.argv[1:])
