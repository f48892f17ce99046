"""From a snapshot and a command to the arguments and file descriptors of one bubblewrap process. Starts nothing.

Everything that an attempt needs beyond the host's own folders is handed over in memory files: edited files, empty files in the place of
secrets and of stale bytecode, the system call filter, the report. Nothing is written to the host's disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import msgspec

from suture_sandbox.backend import Command
from suture_sandbox.environment import Environment
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.local import keep, layout, overlay
from suture_sandbox.local.limits import resource_limits
from suture_sandbox.local.masks import Masks
from suture_sandbox.snapshot import Snapshot

# The first process of the namespace. It waits at the gate (standard input) until the limits are set, and ends where suture died meanwhile;
# it stays until the command ends, so that its open report file, its exit code and its use of the CPU can be had; it says nothing by itself.
_FIRST = """
echo >&0
read -r go || exit 1
exec <"/proc/self/fd/$1"
[ -z "$2" ] || xargs -0 rm -f -- <"/proc/self/fd/$2"
exec 3>&2 2>/dev/null
ulimit -S -t "$3"; ulimit -H -t "$4"; ulimit -f "$5"; ulimit -n "$6"; ulimit -c 0; ulimit -u "$7" || ulimit -p "$7"
shift 7
(exec 2>&3 3>&-; exec "$@")
exit $?
"""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt, ready to start."""

    options: tuple[str, ...]
    """Of bubblewrap; handed over by descriptor, for they can be long."""
    command: tuple[str, ...]
    inherit: tuple[int, ...]
    """File descriptors that bubblewrap needs beside the three standard ones."""
    report: int | None
    changes: int | None


class Planner:
    """Collects the arguments and descriptors of one attempt; the descriptors live as long as `files`."""

    def __init__(self, snapshot: Snapshot, environment: Environment, files: ExitStack, user: tuple[int, int] | None = None) -> None:
        self._snapshot = snapshot
        self._environment = environment
        self._files = files
        self._user, self._group = user or (os.geteuid(), os.getegid())
        self.inherit: list[int] = []

    def plan(self, command: Command, masks: Masks, seccomp: bytes | None) -> Plan:
        """The whole plan; raises PatchError for an overlay path that is not one, SandboxFailed for an overlay that is too large."""
        root = self._snapshot.root
        report = self.memory() if any("{report}" in argument for argument in command.argv) else None
        changes = self.memory() if command.keep else None
        arguments = [*layout.isolation(), *layout.variables(self._environment, command.variables)]
        arguments += layout.mounts(root, self._environment)
        for path, content in layout.ETC_FILES.items():
            arguments += self.file(path, content)
        for path, content in overlay.files(self._snapshot, self._environment, masks):
            arguments += self.file(path, content)
        for path in masks.folders:
            arguments += ["--perms", "0555", "--size", "4096", "--tmpfs", f"{root}/{path}"]
        arguments += ["--chmod", "0555", "/etc", "--chmod", "0555", "/", "--chdir", folder_of(root, command)]
        if seccomp is not None:
            arguments += ["--seccomp", str(self.memory(seccomp))]
        argv = tuple(self._command(command, report, changes))
        return Plan(options=tuple(arguments), command=argv, inherit=tuple(self.inherit), report=report, changes=changes)

    def memory(self, content: bytes = b"") -> int:
        """A file descriptor of a memory file that bubblewrap inherits."""
        fd = os.memfd_create("suture", os.MFD_CLOEXEC)
        self._files.callback(os.close, fd)
        self.inherit.append(fd)
        if content:
            write_all(fd, content)
            os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def file(self, path: str, content: bytes) -> list[str]:
        """Arguments that put a file into the attempt; an existing one keeps its permissions.

        What belongs to another user cannot be written to, in a copy neither: a file is mounted over it then.
        """
        how = "--file" if self._may_write(path) else "--bind-data"
        return ["--perms", "0644", how, str(self.memory(content)), path]

    def _may_write(self, path: str) -> bool:
        """Whether the user of the attempt may write to a file, or make it. Only files of the workspace can be anybody else's.

        A file of another user or group cannot be copied to be written to, nor one in a folder of theirs: they do not exist inside.
        """
        root = self._snapshot.root
        if not path.startswith(f"{root}/"):
            return True
        try:
            places = [os.lstat(path), *(os.lstat(folder) for folder in Path(path).parents if root in folder.parents)]
        except OSError:
            return True  # it does not exist, and is made
        return all((place.st_uid, place.st_gid) == (self._user, self._group) for place in places)

    def _command(self, command: Command, report: int | None, changes: int | None) -> list[str]:
        # the first process of the namespace keeps the report's descriptor, so the path holds for every process of the attempt
        place = "" if report is None else f"/proc/1/fd/{report}"
        argv = [argument.replace("{report}", place) for argument in command.argv]
        if changes is not None:
            python = self._environment.runtime.python
            argv = [python, "-I", "-S", "-c", keep.INSIDE, str(self._snapshot.root), str(changes), *argv]
        deleted = overlay.deleted(self._snapshot)
        names = str(self.memory(pack(deleted))) if deleted else ""
        bounds = resource_limits(self._environment.limits)
        return ["/bin/sh", "-c", _FIRST, "sh", str(self.memory(command.stdin)), names, *bounds, *argv]


def write_all(fd: int, content: bytes) -> None:
    """Write all of `content`, however large."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def read_memory(fd: int, limit: int) -> bytes:
    """The content of a memory file, up to a limit; the attempt may have moved its position."""
    size = min(os.fstat(fd).st_size, limit)
    pieces: list[bytes] = []
    done = 0
    while done < size and (piece := os.pread(fd, size - done, done)):
        pieces.append(piece)
        done += len(piece)
    return b"".join(pieces)


def pack(arguments: Iterable[str]) -> bytes:
    """Arguments in the form that `bwrap --args` reads."""
    return b"".join(os.fsencode(argument) + b"\0" for argument in arguments)


def folder_of(root: Path, command: Command) -> str:
    """The folder inside in which a command runs; raises SandboxFailed for one that is not in the workspace."""
    pure = PurePosixPath(command.folder)
    if pure.is_absolute() or ".." in pure.parts:
        raise SandboxFailed(f"{command.folder!r} is not a folder inside the workspace")
    return str(root / pure)
