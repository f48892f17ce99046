"""Starting bubblewrap for one attempt, and the descriptors that lead to it. Watching it is `attempt`'s work.

The gate: the first process inside says that it is there, and waits before the command until it is let in. Only then is it tied to suture's
life: bubblewrap does that as its last step. If suture dies before, the gate reads as ended and the command does not begin; if it dies
later, bubblewrap and the namespace die with it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

from suture_sandbox.errors import SandboxFailed
from suture_sandbox.local.output import Output
from suture_sandbox.local.plan import Plan, pack, write_all

TITLE = "suture-attempt-of-"
"""What attempts are called in a list of processes, with the process id of suture behind it."""


class Account(msgspec.Struct, frozen=True):
    """The host user as whom bubblewrap runs, where root starts it."""

    uid: int
    gid: int


class Started(msgspec.Struct):
    """A started bubblewrap."""

    process: subprocess.Popen[bytes]
    streams: dict[int, Output]
    """Descriptor -> where its bytes go."""
    gate: socket.socket
    """Readable once the first process inside is ready. Nothing that runs behind the gate can reach it."""

    def open_gate(self) -> None:
        """Let the command begin."""
        with contextlib.suppress(BrokenPipeError):
            self.gate.send(b"\n")

    def first_process(self) -> int | None:
        """The first process of the namespace, once bubblewrap has made it: asked of the kernel, which no command can deceive."""
        try:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        except FileNotFoundError:  # a kernel without CONFIG_PROC_CHILDREN
            children = [str(child.pid) for child in psutil.Process(self.process.pid).children()]
        return int(children[0]) if children else None


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


def start(bwrap: str, plan: Plan, account: Account | None, sinks: tuple[Output, Output], files: ExitStack) -> Started:
    """Start bubblewrap; the descriptors that stay here live as long as `files`."""
    ends = [_pipe(files) for _ in sinks]
    gate, inner = socket.socketpair()
    files.enter_context(gate)
    out, err = (writing for _, writing in ends)
    arguments = _arguments(plan)
    try:
        process = subprocess.Popen(
            [f"{TITLE}{os.getpid()}", "--args", str(arguments), "--", *plan.command],
            executable=bwrap,
            stdin=inner.fileno(),
            stdout=out,
            stderr=err,
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
        inner.close()
        for fd in (out, err, arguments):
            os.close(fd)
    streams = {reading: sink for (reading, _), sink in zip(ends, sinks, strict=True)}
    return Started(process, streams, gate)


def _pipe(files: ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(reading, False)
    files.callback(os.close, reading)
    return reading, writing


def _arguments(plan: Plan) -> int:
    fd = os.memfd_create("suture", os.MFD_CLOEXEC)
    write_all(fd, pack(plan.options))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
