"""From a snapshot and a command to the arguments and file descriptors of one bubblewrap process. Starts nothing.

Everything that an attempt needs beyond the host's own folders is handed over in memory files: edited files, empty files in the place of
secrets and of stale bytecode, the system call filter, the report. Nothing is written to the host's disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath

import msgspec

from suture_sandbox.backend import Command
from suture_sandbox.environment import Environment
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.files import read_head
from suture_sandbox.local import keep, layout
from suture_sandbox.local.limits import resource_limits
from suture_sandbox.local.masks import Masks, is_masked
from suture_sandbox.snapshot import Snapshot

MAX_OVERLAY_FILES = 400
"""Files of a snapshot's overlay; each is a file descriptor for a moment."""

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

    def __init__(self, snapshot: Snapshot, environment: Environment, files: ExitStack) -> None:
        self._snapshot = snapshot
        self._environment = environment
        self._files = files
        self._inherit: list[int] = []

    def plan(self, command: Command, masks: Masks, seccomp: bytes | None) -> Plan:
        """The whole plan; raises PatchError for an overlay path that is not one, SandboxFailed for an overlay that is too large."""
        root = self._snapshot.root
        report = self.memory() if any("{report}" in argument for argument in command.argv) else None
        changes = self.memory() if command.keep else None
        arguments = [*layout.isolation(), *layout.variables(self._environment, command.variables)]
        arguments += layout.mounts(root, self._environment)
        for path, content in layout.ETC_FILES.items():
            arguments += self.file(path, content)
        arguments += [*self._edits(), *self._stale_bytecode(), *self._masked(masks)]
        arguments += ["--chmod", "0555", "/etc", "--chmod", "0555", "/", "--chdir", _folder(root, command)]
        if seccomp is not None:
            arguments += ["--seccomp", str(self.memory(seccomp))]
        argv = tuple(self._command(command, report, changes))
        return Plan(options=tuple(arguments), command=argv, inherit=tuple(self._inherit), report=report, changes=changes)

    def memory(self, content: bytes = b"") -> int:
        """A file descriptor of a memory file that bubblewrap inherits."""
        fd = os.memfd_create("suture", os.MFD_CLOEXEC)
        self._files.callback(os.close, fd)
        self._inherit.append(fd)
        if content:
            write_all(fd, content)
            os.lseek(fd, 0, os.SEEK_SET)
        return fd

    def file(self, path: str, content: bytes) -> list[str]:
        """Arguments that put a file into the attempt; an existing one keeps its permissions."""
        return ["--perms", "0644", "--file", str(self.memory(content)), path]

    def _edits(self) -> Iterator[str]:
        overlay = self._snapshot.overlay
        if len(overlay) > MAX_OVERLAY_FILES:
            raise SandboxFailed(f"{len(overlay)} edited files are too many for one attempt (at most {MAX_OVERLAY_FILES})")
        for path, content in overlay.items():
            self._snapshot.check_path(path)
            if content is not None:
                yield from self.file(self._inside(path), b"" if is_masked(path, self._environment.unmasked) else content)

    def _stale_bytecode(self) -> Iterator[str]:
        """Empty files over bytecode that Python could take for an edited file's: same size, same second, or not dated at all."""
        for path, content in self._snapshot.overlay.items():
            if path.endswith(".py") and content is not None:
                for cached in _bytecode(self._snapshot.root / path, len(content)):
                    yield from self.file(str(cached), b"")

    def _masked(self, masks: Masks) -> Iterator[str]:
        for path in masks.files:
            if path not in self._snapshot.overlay:
                yield from self.file(self._inside(path), b"")
        for path in masks.folders:
            yield from ("--perms", "0555", "--size", "4096", "--tmpfs", self._inside(path))

    def _command(self, command: Command, report: int | None, changes: int | None) -> list[str]:
        # the first process of the namespace keeps the report's descriptor, so the path holds for every process of the attempt
        place = "" if report is None else f"/proc/1/fd/{report}"
        argv = [argument.replace("{report}", place) for argument in command.argv]
        if changes is not None:
            python = self._environment.runtime.python
            argv = [python, "-I", "-S", "-c", keep.INSIDE, str(self._snapshot.root), str(changes), *argv]
        deleted = [self._inside(path) for path, content in self._snapshot.overlay.items() if content is None]
        names = str(self.memory(pack(deleted))) if deleted else ""
        bounds = resource_limits(self._environment.limits)
        return ["/bin/sh", "-c", _FIRST, "sh", str(self.memory(command.stdin)), names, *bounds, *argv]

    def _inside(self, path: str) -> str:
        return f"{self._snapshot.root}/{path}"


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


def _folder(root: Path, command: Command) -> str:
    pure = PurePosixPath(command.folder)
    if pure.is_absolute() or ".." in pure.parts:
        raise SandboxFailed(f"{command.folder!r} is not a folder inside the workspace")
    return str(root / pure)


def _bytecode(source: Path, size: int) -> list[Path]:
    folder = source.parent / "__pycache__"
    if folder.is_symlink() or not folder.is_dir():
        return []
    return [
        path for path in folder.glob(f"{_escape(source.stem)}.*.pyc") if not path.is_symlink() and path.is_file() and _may_match(path, size)
    ]


def _may_match(bytecode: Path, size: int) -> bool:
    """Whether Python could take the bytecode for that of a source of `size` bytes: the header holds flags, time and size."""
    header = read_head(bytecode, 16)
    dated = header[4:8] == b"\0\0\0\0"
    return not dated or int.from_bytes(header[12:16], "little") == size & 0xFFFFFFFF


def _escape(stem: str) -> str:
    from glob import escape

    return escape(stem)
