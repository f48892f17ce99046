"""Starting bubblewrap for one attempt, and the descriptors that lead to it. Watching it is `attempt`'s work.

The gate: the first process inside says that it is there, and waits before the command until it is let in. Only then is it tied to suture's
life: bubblewrap does that as its last step. If suture dies before, the gate reads as ended and the command does not begin; if it dies
later, bubblewrap and the namespace die with it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import msgspec
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from suture_sandbox.errors import SandboxFailed
from suture_sandbox.local import bubblewrap
from suture_sandbox.local.output import Output
from suture_sandbox.local.plan import Plan, pack, write_all

TITLE = "suture-attempt-of-"
"""What attempts are called in a list of processes, with the process id of suture behind it."""


class Account(msgspec.Struct, frozen=True):
    """The host user as whom bubblewrap runs, where root starts it."""

    uid: int
    gid: int


class Started(Protocol):
    """An attempt that was started: what a supervisor needs to watch it and to end it."""

    streams: dict[int, Output]
    """Descriptor -> where its bytes go."""
    gate: socket.socket
    """Readable when the attempt has something to say; nothing that runs behind it can reach it."""
    outer: int | None
    """The process around the namespace, a child of this one; None where there is none."""
    ready: bool
    """Whether the first process inside waits to be let in."""
    returncode: int
    """As subprocess has it, after `reap`; 128 and more is a signal that ended the command."""
    cpu_seconds: float

    def hear(self) -> bool:
        """Read the gate; whether more will come."""
        ...

    def first_process(self) -> int | None:
        """The first process of the namespace, once there is one."""
        ...

    def open_gate(self) -> None:
        """Let the command begin."""
        ...

    def patience_is_over(self) -> None:
        """Called now and then while it is not ready."""
        ...

    def reap(self) -> None:
        """Wait until nothing of it is left."""
        ...

    def failure(self, stderr: bytes) -> Exception | None:
        """Why it ended before the command began, or otherwise than a command ends; None where the command's folder does not exist."""
        ...


class Bubblewrap:
    """A started bubblewrap."""

    def __init__(self, process: subprocess.Popen[bytes], streams: dict[int, Output], gate: socket.socket) -> None:
        self.streams = streams
        self.gate = gate
        self.outer: int | None = process.pid
        self.ready = False
        self.returncode = 0
        self.cpu_seconds = 0.0
        self._process = process

    def hear(self) -> bool:
        """It says once that it is there."""
        self.ready = self.gate.recv(1) == b"\n"
        return False

    def open_gate(self) -> None:
        """Let the command begin."""
        with contextlib.suppress(BrokenPipeError):
            self.gate.send(b"\n")

    def first_process(self) -> int | None:
        """The first process of the namespace, once bubblewrap has made it: asked of the kernel, which no command can deceive."""
        try:
            children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
            children = [str(child.pid) for child in psutil.Process(self._process.pid).children()]
        return int(children[0]) if children else None

    def patience_is_over(self) -> None:
        """It takes as long as it takes."""

    def reap(self) -> None:
        """Whatever happened: it is reaped."""
        os.kill(self._process.pid, signal.SIGKILL)  # without effect on one that has ended, as it has whenever the watch was not cut short
        _, status, usage = os.wait4(self._process.pid, 0)
        self.returncode = self._process.returncode = os.waitstatus_to_exitcode(status)
        self.cpu_seconds = usage.ru_utime + usage.ru_stime

    def failure(self, stderr: bytes) -> Exception | None:
        """What bubblewrap says."""
        if self.ready:
            return SandboxFailed(f"bubblewrap was ended by signal {-self.returncode}")
        return None if bubblewrap.is_no_folder(stderr) else bubblewrap.failure(stderr.decode(errors="replace"))


class Stop:
    """A stop signal that a poll loop in another thread can wait for."""

    def __init__(self) -> None:
        self.fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def ask(self) -> None:
        """Ask the attempt to end at once."""
        os.eventfd_write(self.fd, 1)

    def close(self) -> None:
        """Release the descriptor; the attempt must have ended."""
        os.close(self.fd)


def start(bwrap: str, plan: Plan, account: Account | None, sinks: tuple[Output, Output], files: ExitStack) -> Bubblewrap:
    """Start bubblewrap; the descriptors that stay here live as long as `files`."""
    ends = [pipe(files) for _ in sinks]
    gate, inner = socket.socketpair()
    files.enter_context(gate)
    out, err = (writing for _, writing in ends)
    try:
        process = spawn(bwrap, plan, account, (inner.fileno(), out, err))
    finally:
        inner.close()
        for fd in (out, err):
            os.close(fd)
    streams = {reading: sink for (reading, _), sink in zip(ends, sinks, strict=True)}
    return Bubblewrap(process, streams, gate)


def spawn(
    bwrap: str, plan: Plan, account: Account | None, streams: tuple[int, int, int], before: tuple[str, ...] = ()
) -> subprocess.Popen[bytes]:
    """A process of bubblewrap, with its three standard streams; raises SandboxFailed.

    `before`: a program that is started in its place and becomes it.
    """
    arguments = _arguments(plan)
    argv = [f"{TITLE}{os.getpid()}", "--args", str(arguments), "--", *plan.command]
    try:
        return subprocess.Popen(
            [*before, bwrap, *argv] if before else argv,
            executable=before[0] if before else bwrap,
            stdin=streams[0],
            stdout=streams[1],
            stderr=streams[2],
            env={},
            cwd="/",
            pass_fds=(arguments, *plan.inherit),
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else (),
        )
    except OSError as error:
        raise SandboxFailed(f"{bwrap} could not be started: {error}", remedy="`suture doctor` says what is missing") from error
    finally:
        os.close(arguments)


def pipe(files: ExitStack) -> tuple[int, int]:
    """A pipe whose reading end does not block, and lives as long as `files`."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(reading, False)
    files.callback(os.close, reading)
    return reading, writing


def _arguments(plan: Plan) -> int:
    fd = os.memfd_create("suture", os.MFD_CLOEXEC)
    write_all(fd, pack(plan.options))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
