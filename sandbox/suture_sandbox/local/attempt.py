"""One attempt from start to end: a synchronous supervisor that runs in a worker thread.

What it is: one loop over the command's output, bubblewrap's status, the processes' ends, the clock, the watchdog and a stop signal. When it
returns, no process of the attempt is left: the first process of a pid namespace ends last, and its end is waited for. What it deliberately
is not: asyncio. A thread sleeps in `poll` at no cost, and an event loop that is stuck cannot leave a command unwatched.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack

from suture_sandbox.backend import Command, Completed, Ended
from suture_sandbox.environment import Limits
from suture_sandbox.errors import SandboxFailed
from suture_sandbox.local import limits
from suture_sandbox.local.cgroups import Group
from suture_sandbox.local.layout import HOME
from suture_sandbox.local.output import Output
from suture_sandbox.local.plan import read_memory
from suture_sandbox.local.start import Started, Stop

Begin = Callable[[tuple[Output, Output], ExitStack], Started]
"""Starts an attempt with these sinks; what it opens lives as long as the stack."""

_CHUNK = 1 << 16
_BURIAL_SECONDS = 20.0  # a process in uninterruptible sleep may take this long to die
_REPORT_FACTOR = 8  # a report may be this much larger than what is kept of the output


class Attempt:
    """The mutable state of one running attempt."""

    def __init__(self, command: Command, bounds: Limits, stop: Stop, group: Group | None) -> None:
        self._command = command
        self._bounds = bounds
        self._stop = stop
        self._group = group
        self._before = None if group is None else group.usage()
        self._output = (Output(bounds.output_mib << 20), Output(bounds.output_mib << 20))
        self._poll = select.poll()
        self._alive: set[int] = set()
        self._first: int | None = None
        self._watchdog: limits.Watchdog | None = None
        self._ended: Ended | None = None
        self._kill_by: float | None = None

    def run(self, begin: Begin, report: int | None) -> Completed:
        """Start, watch, and end the attempt; raises what `begin` raises, BackendUnavailable or SandboxFailed where the sandbox fails.

        `report` is the descriptor of the report's memory file.
        """
        began = time.monotonic()
        with ExitStack() as files:
            started = begin(self._output, files)
            try:
                self._watch(started, began, files)
            finally:
                self._bury(started)
            return self._completed(started, report, began)

    def _watch(self, started: Started, began: float, files: ExitStack) -> None:
        if started.outer is None:
            self._alive.add(started.gate.fileno())  # until it says how the attempt ended
        else:
            self._enlist(started.outer, files)
        for fd in (*started.streams, self._stop.fd, started.gate.fileno()):
            self._poll.register(fd, select.POLLIN)
        seconds = self._bounds.seconds if self._command.seconds is None else min(self._command.seconds, self._bounds.seconds)
        deadline, next_look = began + seconds, began + limits.TREE_LOOK_SECONDS
        while self._alive:
            wake = min(deadline, next_look) if self._kill_by is None else self._kill_by
            wake = time.monotonic() if self._kill_by is not None and self._first is None else wake
            self._take(started, wake - time.monotonic())
            if self._first is None and (started.ready or self._kill_by is not None):
                self._begin(started, files)
            if not started.ready:
                started.patience_is_over()
            now = time.monotonic()
            if not self._alive:
                return  # whatever the clock says now: it was this process that came late, not the command
            if self._kill_by is not None:
                self._check_burial(now)
            elif now >= deadline or any(output.flooded for output in self._output):
                self._end("timeout" if now >= deadline else "output")
            elif now >= next_look:
                next_look = now + (limits.LOOK_SECONDS if self._watchdog is None else self._watchdog.interval)
                self._end(self._reached())

    def _take(self, started: Started, seconds: float) -> None:
        """Wait for events and take them."""
        for fd, _ in self._poll.poll(max(0.0, seconds) * 1000 + 1):
            if fd in started.streams:
                if not _read(fd, started.streams):
                    self._poll.unregister(fd)
                continue
            if fd == started.gate.fileno() and started.hear():
                continue
            self._poll.unregister(fd)
            if fd in self._alive:
                self._alive.discard(fd)
            elif fd == self._stop.fd:
                self._kill()

    def _enlist(self, pid: int, files: ExitStack) -> int | None:
        """Wait for the end of a process too; None where it has ended."""
        try:
            fd = os.pidfd_open(pid)
        except OSError:  # ESRCH, or EINVAL for one that is not yet reaped
            return None
        files.callback(os.close, fd)
        self._alive.add(fd)
        self._poll.register(fd, select.POLLIN)
        return fd

    def _begin(self, started: Started, files: ExitStack) -> None:
        """Once the namespace has its first process: watch it, and let the command begin, unless it is to be killed already."""
        pid = started.first_process()
        if pid is None:
            return
        self._first = self._enlist(pid, files)
        if self._kill_by is not None:
            self._kill()
            return
        self._watchdog = limits.Watchdog(pid, self._bounds, tree=self._group is None, scratch=HOME if started.outer is None else "/")
        if self._command.nice:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, pid, self._command.nice)
        started.open_gate()

    def _reached(self) -> Ended | None:
        """The limit that the attempt has reached, None while all hold."""
        return self._reached_in_group() or (None if self._watchdog is None else self._watchdog.look())

    def _reached_in_group(self) -> Ended | None:
        if self._group is None or self._before is None:
            return None
        now = self._group.usage()
        if now.out_of_memory > self._before.out_of_memory:
            return "memory"
        return "processes" if now.refused_processes > self._before.refused_processes else None

    def _end(self, why: Ended | None) -> None:
        if why is not None:
            self._ended = why
            self._kill()

    def _kill(self) -> None:
        """Kill the namespace's first process, and with it all others at once; bubblewrap outside of it follows by itself."""
        self._kill_by = self._kill_by or time.monotonic() + _BURIAL_SECONDS
        if self._first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)
                if self._watchdog is not None:
                    self._watchdog.stop_growth()

    def _check_burial(self, now: float) -> None:
        if self._kill_by is not None and now > self._kill_by:
            raise SandboxFailed("processes of the attempt did not end when they were killed")

    def _bury(self, started: Started) -> None:
        """Whatever happened: nothing is left of it, and what the command had printed is read."""
        started.reap()
        for fd in list(started.streams):
            while _read(fd, started.streams) and select.select([fd], [], [], 0)[0]:
                pass

    def _completed(self, started: Started, report: int | None, began: float) -> Completed:
        stdout, stderr = self._output
        ended, code = self._outcome(started, stderr)
        reported = b"" if report is None else read_memory(report, self._bounds.output_mib * _REPORT_FACTOR << 20)
        return Completed(
            ended=ended,
            exit_code=code,
            stdout=stdout.content(),
            stderr=stderr.content(),
            report=reported,
            seconds=time.monotonic() - began,
            cpu_seconds=started.cpu_seconds,
            overflow=stdout.cut or stderr.cut,
            warm=started.outer is None,
        )

    def _outcome(self, started: Started, stderr: Output) -> tuple[Ended, int | None]:
        ended = self._ended or self._reached_in_group()
        if ended is not None:
            return ended, None
        if self._kill_by is not None:
            return "signalled", None  # it was cancelled: nobody reads this
        code = started.returncode
        if not started.ready or code < 0:
            failure = started.failure(stderr.content())
            if failure is None:
                return "exited", 127
            raise failure
        if not 128 < code <= 128 + signal.NSIG:
            return "exited", code
        limit = limits.ENDED_BY_SIGNAL.get(code - 128)
        return ("signalled", 128 - code) if limit is None else (limit, None)


def _read(fd: int, streams: dict[int, Output]) -> bool:
    """Take what is there; False at the end of the stream."""
    try:
        data = os.read(fd, _CHUNK)
    except BlockingIOError:
        return True
    streams[fd].add(data)
    return bool(data)
