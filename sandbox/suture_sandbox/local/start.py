"""Starting bubblewrap for one attempt, and the descriptors that lead to it. Watching it is `attempt`'s work.

The gate: the first process inside waits on its standard input before the command, until its limits are set. If suture dies before that, the
gate reads as ended and the command does not begin; if it dies later, bubblewrap and the namespace die with it.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import ExitStack

import msgspec

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
    streams: dict[int, Output | bytearray]
    """Descriptor -> where its bytes go; the bytearray takes bubblewrap's own status lines."""
    gate: int


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


def start(bwrap: str, plan: Plan, account: Account | None, sinks: tuple[Output, Output, bytearray], files: ExitStack) -> Started:
    """Start bubblewrap; the descriptors that stay here live as long as `files`."""
    ends = [_pipe(files) for _ in sinks]
    gate_out, gate_in = os.pipe2(os.O_CLOEXEC)
    files.callback(os.close, gate_in)
    out, err, status = (writing for _, writing in ends)
    arguments = _arguments(plan, status)
    # bubblewrap holds the reading end of its status too: killed by SIGPIPE it would leave a child that waits for it for ever
    inherit = (arguments, status, ends[2][0], *plan.inherit)
    try:
        process = subprocess.Popen(
            [f"{_TITLE}{os.getpid()}", "--args", str(arguments), "--", *plan.command],
            executable=bwrap,
            stdin=gate_out,
            stdout=out,
            stderr=err,
            env={},
            cwd="/",
            pass_fds=inherit,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else (),
        )
    except OSError as error:
        raise SandboxFailed(f"{bwrap} could not be started: {error}", remedy="`suture doctor` says what is missing") from error
    finally:
        for fd in (out, err, status, gate_out, arguments):
            os.close(fd)
    streams: dict[int, Output | bytearray] = {ends[0][0]: sinks[0], ends[1][0]: sinks[1], ends[2][0]: sinks[2]}
    return Started(process, streams, gate_in)


def _pipe(files: ExitStack) -> tuple[int, int]:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(reading, False)
    files.callback(os.close, reading)
    return reading, writing


def _arguments(plan: Plan, status: int) -> int:
    fd = os.memfd_create("suture", os.MFD_CLOEXEC)
    write_all(fd, pack(["--json-status-fd", str(status), *plan.options]))
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
