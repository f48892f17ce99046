"""One attempt, seen by the first process of its pid namespace: the view, the command, the limits, and what became of it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import select
import signal
import socket
import stat
import time
from collections.abc import Collection

from suture_sandbox.docker.inside import command, view, wire
from suture_sandbox.docker.inside.copying import Copy, TooLarge
from suture_sandbox.docker.inside.kernel import Counters, bind
from suture_sandbox.docker.inside.request import BASE, MIB, Request
from suture_sandbox.docker.inside.view import Ground

_REPORT = f"{BASE}/report"
_CHUNK = 1 << 16
_LOOK_SECONDS = 0.05
_INODE_BYTES = 1024  # what an empty file costs in kernel memory, so that a million of them count
_END_SECONDS = 10


class Attempt:
    """The mutable state of one running attempt."""

    def __init__(
        self,
        connection: socket.socket,
        counters: Counters,
        ground: Ground | None,
        request: Request,
        blobs: list[bytes],
        kept: Collection[int] = (),
    ) -> None:
        """`kept`: descriptors that the program of a zygote keeps."""
        self._connection = connection
        self._counters = counters
        self._ground = ground
        self._request = request
        self._blobs = blobs
        self._kept = kept
        self._before = counters.read()
        self._report = f"{_REPORT if request.strict else BASE}/report"
        self._places = (BASE, *((request.root, "/tmp", "/var/tmp", request.home) if request.strict else ()))
        self._baseline = 0
        self._left = [request.flood, request.flood]
        self._ended: str | None = None

    def run(self) -> None:
        """Run the command to its end, or to the limit that it reaches, and tell."""
        began = time.monotonic()
        try:
            self._prepare()
        except TooLarge:
            self._tell(problem="large")
            return
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            self._tell(problem="full" if full else "setup", says=f"{error.strerror or error} {error.filename or ''}".strip())
            return
        self._run(began)

    def run_and_leave(self) -> None:
        """The same in a forked process, which must not go on as if it were another; never returns."""
        code = 3
        try:
            self.run()
            code = 0
        except BaseException as error:  # noqa: BLE001  # whatever it is
            with contextlib.suppress(OSError):
                self._tell(problem="agent", says=repr(error))
        os._exit(code)

    def _run(self, began: float) -> None:
        out, err = os.pipe(), os.pipe()
        changes = os.memfd_create("changes") if self._request.keep or self._request.scout else None
        waking = _wakened_by_children()
        stdin = _memory(self._blobs[self._request.stdin])
        seccomp = None if self._request.seccomp < 0 else self._blobs[self._request.seccomp]
        command.give_up(self._request, seccomp)
        given = (stdin, out[1], err[1])
        if self._request.module:
            child = command.fork(self._request, given, self._report, changes, self._kept)
        else:
            child = command.start(self._request, given, self._report, changes)
        os.close(out[1])
        os.close(err[1])
        streams = (out[0], err[0])
        status = -child << 8 if child < 0 else self._watch(child, streams, waking, began + self._request.seconds)
        if self._request.strict:
            _end_all()
        self._drain(streams)
        self._look()
        self._hand_over(changes)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        self._tell(ended=self._ended, status=status, cpu=int((used.ru_utime + used.ru_stime) * 1e6))

    def _prepare(self) -> None:
        """The view: its places, the workspace, the edits."""
        request = self._request
        if self._ground is None:
            os.mkdir(_REPORT, 0o700)
            source = os.open(request.source, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            Copy(request).make(source)
            os.close(source)
        else:
            disk, memory = request.disk_mib, request.shared_memory
            view.lay(self._ground, request.source, disk_mib=disk, shared_memory=memory, home=request.home, fresh=True)
        for path in request.empty_folders:
            self._empty(f"{request.root}/{path}")
        for number, (path, blob) in enumerate(request.files):
            self._write(path if path.startswith("/") else f"{request.root}/{path}", self._blobs[blob], number)
        for path in request.deleted:
            with contextlib.suppress(OSError):
                os.unlink(f"{request.root}/{path}")
        if not request.strict:
            bind(_REPORT, BASE)
        self._baseline = self._written()

    def _empty(self, path: str) -> None:
        if self._request.strict:
            os.makedirs(path, exist_ok=True)
            os.chmod(path, 0o555)
        else:
            view.cover(path)

    def _write(self, path: str, content: bytes, number: int) -> None:
        """Put a file into the view; over one that belongs to somebody else, another is mounted."""
        with contextlib.suppress(FileExistsError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        try:
            _fill(path, content)
        except PermissionError:
            if self._request.strict:
                raise
            _fill(f"{BASE}/data/{number}", content)
            bind(f"{BASE}/data/{number}", path)

    def _watch(self, child: int, streams: tuple[int, int], waking: int, deadline: float) -> int | None:
        """Until the command's first process ends or a limit is reached; its status, None where it did not end by itself."""
        poll = select.poll()
        for descriptor in (*streams, waking, self._connection.fileno()):
            poll.register(descriptor, select.POLLIN)
        next_look = time.monotonic() + _LOOK_SECONDS
        while self._ended is None:
            wait = max(0.0, min(next_look, deadline) - time.monotonic())
            for descriptor, _ in poll.poll(wait * 1000 + 1):
                if descriptor == self._connection.fileno():
                    self._asked()
                elif descriptor == waking:
                    os.read(waking, _CHUNK)
                elif not self._relay(streams.index(descriptor), descriptor):
                    poll.unregister(descriptor)
            status = _bury(child)
            if status is not None:
                return status
            now = time.monotonic()
            if now >= deadline:
                self._end("timeout")
            elif now >= next_look:
                next_look = now + _LOOK_SECONDS
                self._look()
        return None

    def _asked(self) -> None:
        """The other side wants the attempt to end; or it is gone, which ends everything."""
        try:
            letter, _ = wire.receive(self._connection)
        except (EOFError, OSError):
            os._exit(9)
        if letter == b"K":
            self._end("cancelled")

    def _end(self, why: str) -> None:
        """Have the watch end; the first reason is the one that is told."""
        if self._ended is None:
            self._ended = why

    def _relay(self, which: int, descriptor: int) -> bool:
        """Pass on what was printed; False at the end of the stream."""
        data = os.read(descriptor, _CHUNK)
        if data and self._left[which] >= 0:
            wire.send(self._connection, b"OE"[which : which + 1], data)
            self._left[which] -= len(data)
            if self._left[which] < 0:
                self._end("output")
        return bool(data)

    def _drain(self, streams: tuple[int, int]) -> None:
        """What is still in the pipes; a process that holds them open is not waited for."""
        for which, descriptor in enumerate(streams):
            os.set_blocking(descriptor, False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(64):  # a pipe holds one chunk; whoever writes on is not read for ever
                    if not self._relay(which, descriptor):
                        break

    def _look(self) -> None:
        """Whether a limit was reached."""
        killed, refused = self._counters.read()
        if killed > self._before[0]:
            self._end("memory")
        elif refused > self._before[1]:
            self._end("processes")
        elif self._written() - self._baseline > self._request.disk_mib * MIB:
            self._end("disk")

    def _written(self) -> int:
        """Bytes in the memory file systems that the attempt can write to."""
        total = 0
        for place in self._places:
            state = os.statvfs(place)
            total += (state.f_blocks - state.f_bfree) * state.f_frsize + (state.f_files - state.f_ffree) * _INODE_BYTES
        return total

    def _hand_over(self, changes: int | None) -> None:
        if self._request.report:
            wire.send(self._connection, b"P", _plain_file(self._report, self._request.report_bytes))
        if changes is not None and self._ended is None:
            size = min(os.fstat(changes).st_size, self._request.changes_bytes)
            wire.send(self._connection, b"C" if self._request.keep else b"S", os.pread(changes, size, 0))

    def _tell(self, **what: object) -> None:
        """The last frame of an attempt but X."""
        wire.send(self._connection, b"D", json.dumps(what).encode())


def _wakened_by_children() -> int:
    """A descriptor that is readable once a child has ended."""
    waking, wakes = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.signal(signal.SIGCHLD, _ignore)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    return waking


def _ignore(_number: int, _frame: object) -> None:
    """Nothing: that a signal is handled at all lets Python write to the pipe."""


def _memory(content: bytes) -> int:
    """A memory file with this content, at its beginning."""
    descriptor = os.memfd_create("stdin")
    command.write_all(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _fill(path: str, content: bytes) -> None:
    """Create or replace a plain file."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        command.write_all(descriptor, content)
    finally:
        os.close(descriptor)


def _bury(child: int) -> int | None:
    """Bury what has ended; the status of `child` where it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            found = status


def _end_all() -> None:
    """End every other process of the container, and wait for that."""
    deadline = time.monotonic() + _END_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _plain_file(path: str, limit: int) -> bytes:
    """The content of a plain file up to a limit; nothing where it is something else."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return b""
        pieces: list[bytes] = []
        while limit > 0 and (piece := os.read(descriptor, min(limit, 1 << 20))):
            pieces.append(piece)
            limit -= len(piece)
        return b"".join(pieces)
    finally:
        os.close(descriptor)
