"""Starting bubblewrap for one attempt, and the descriptors that lead to it. Watching it is `attempt`'s work.

The gate: the first process inside waits on its standard input before the command, until its limits are set. If suture dies before that, the
gate reads as ended and the command does not begin; if it dies later, bubblewrap and the namespace die with it.
"""

from __future__ import annotations

import os
import select
import subprocess
from contextlib import ExitStack
from pathlib import Path

import msgspec
import psutil

from suture_sandbox.errors import SandboxFailed
from suture_sandbox.local.output import Output
from suture_sandbox.local.plan import Plan, pack, write_all

_TITLE = "suture-attempt-of-"


class Account(msgspec.Struct, frozen=True):
    """The host user as whom bubblewrap runs, where root starts it."""

    uid: int
    gid: int


class Started(msgspec.Struct):
    """A started bubblewrap."""

    process: subprocess.Popen[bytes]
    streams: dict[int, Output]
    """Descriptor -> where its bytes go."""
    gate_in: int
    gate_out: int

    def open_gate(self) -> None:
        """Let the command begin."""
        os.write(self.gate_in, b"\n")

    def passed_gate(self) -> bool:
        """Whether the first process took what `open_gate` gave. Nothing that runs behind the gate can reach it."""
        return not select.select([self.gate_out], [], [], 0)[0]

    def first_process(self) -> int | None:
        """The first process of the namespace, once bubblewrap has made it.

        Asked of the kernel: a pipe on which bubblewrap tells it could be written to by the command, or kill bubblewrap half-way when
        nobody reads it any more.
        """
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
    gate_out, gate_in = os.pipe2(os.O_CLOEXEC)
    files.callback(os.close, gate_in)
    files.callback(os.close, gate_out)
    out, err = (writing for _, writing in ends)
    arguments = _arguments(plan)
    try:
        process = subprocess.Popen(
            [f"{_TITLE}{os.getpid()}", "--args", str(arguments), "--", *plan.command],
            executable=bwrap,
            stdin=gate_out,
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
        for fd in (out, err, arguments):
            os.close(fd)
    streams = {reading: sink for (reading, _), sink in zip(ends, sinks, strict=True)}
    return Started(process, streams, gate_in, gate_out)


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
