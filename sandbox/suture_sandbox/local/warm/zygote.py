"""The zygote: an interpreter that has a check's tool and the environment's packages loaded, and forks a process for every attempt.

This file runs inside the sandbox, in the environment's own interpreter (3.8 or newer), without suture: standard library, `isolation` and
`program` only. It never imports anything of the workspace. It answers on one socket:

    -> {"names": [...]}             import these modules         <- {"names": [...]}: all that is loaded now; {"threads": "name"}: that
                                                                    one has started a thread, so the process must not be forked
    -> an order with descriptors    fork an attempt              <- nothing; the attempt's own socket says `ready`, or why it cannot,
                                                                    waits for a newline, and tells exit status and CPU time at the end

`main` is called by the few lines in `process` that load this file and what it imports.
"""

from __future__ import annotations

import array
import contextlib
import json
import os
import select
import signal
import socket
import sys
from typing import Any

from suture_sandbox.local.warm.isolation import (
    NEWPID,
    die_with_parent,
    drop_capabilities,
    enter,
    filter_calls,
    forbid_new_privileges,
    renounce,
    set_pid_namespace,
    unshare,
)
from suture_sandbox.local.warm.program import import_all, load, loaded, run, settle, threads

_MESSAGE = 1 << 20
_SYS_ADMIN, _NET_ADMIN, _DAC_OVERRIDE, _FOWNER, _SETFCAP = 21, 12, 1, 3, 31
_NEEDED = (_SYS_ADMIN, _NET_ADMIN, _DAC_OVERRIDE, _FOWNER, _SETFCAP)  # the last: to hand its own user on to a namespace


class Zygote:
    """The one process that forks."""

    def __init__(self, control: socket.socket) -> None:
        self.control = control
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self.attempts: dict[int, socket.socket] = {}
        self.bell, ringing = socket.socketpair()
        ringing.setblocking(False)
        self.ringing = ringing
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(ringing.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        """Answer until the other side is gone."""
        poll = select.poll()
        poll.register(self.control, select.POLLIN)
        poll.register(self.bell, select.POLLIN)
        while True:
            for fd, _event in poll.poll():
                if fd == self.bell.fileno():
                    self.bell.recv(4096)
                    self.bury()
                elif not self.answer():
                    return

    def answer(self) -> bool:
        """Take one message; False at the end."""
        text, fds = receive(self.control)
        if not text:
            return False
        order = json.loads(text)
        if "names" in order:
            threaded = import_all(order["names"], order["prefixes"])
            settle()
            self.control.send(json.dumps(threaded or loaded()).encode())
        else:
            self.fork(order, fds)
        return True

    def fork(self, order: dict[str, Any], fds: list[int]) -> None:
        """Start an attempt."""
        attempt = socket.socket(fileno=fds[0])
        own = os.getpid()
        try:
            unshare(NEWPID)
            try:
                pid = os.fork()
                if not pid:
                    self.begin(order, attempt, fds[1:], own)
            finally:
                set_pid_namespace(self.own_pids)
        except Exception as error:  # noqa: BLE001  # whatever it is, the other side must hear it
            attempt.send(b"!" + str(error).encode())
            attempt.close()
        else:
            self.attempts[pid] = attempt
        for fd in fds[1:]:
            os.close(fd)

    def begin(self, order: dict[str, Any], attempt: socket.socket, fds: list[int], parent: int) -> None:
        """In the new process, the first of its namespace; never returns."""
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for each in (self.control, self.bell, self.ringing, *self.attempts.values()):
                each.close()
            os.close(self.own_pids)
            os.setsid()
            die_with_parent(parent)
            enter(order, fds[3])
            renounce(order)
            die_with_parent(parent)
        except BaseException as error:  # noqa: BLE001  # the same
            attempt.send(b"!" + place_and_text(error).encode())
            os._exit(1)
        attempt.send(b"ready")
        if attempt.recv(1) != b"\n":
            os._exit(1)
        attempt.close()
        os._exit(first_process(order, fds))

    def bury(self) -> None:
        """Tell of every attempt that has ended."""
        while self.attempts:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if not pid:
                return
            attempt = self.attempts.pop(pid, None)
            if attempt is not None:
                with contextlib.suppress(OSError):  # nobody wants to know
                    attempt.send(json.dumps([status, usage.ru_utime + usage.ru_stime]).encode())
                attempt.close()


def place_and_text(error: BaseException) -> str:
    """An error with the function that it comes from."""
    place, names = error.__traceback__, ["?"]
    while place is not None:
        names.append(f"{place.tb_frame.f_code.co_name}, line {place.tb_lineno}")
        place = place.tb_next
    return f"{str(error) or repr(error)} ({names[-1]})"


def first_process(order: dict[str, Any], fds: list[int]) -> int:
    """Start the program and wait for it, reaping what others leave; its exit code as shells tell it.

    `fds`: the three standard streams, the files' bytes, then the report and the list of modules where they are wanted. This process keeps
    the report open, so that its path in /proc holds for every process of the attempt.
    """
    report = fds[4] if order["report"] else None
    scout = fds[-1] if order["scout"] else None
    pid = os.fork()
    if not pid:
        if report is not None:
            order["arguments"] = [each.replace("{report}", f"/proc/1/fd/{report}") for each in order["arguments"]]
            os.close(report)
        os.close(fds[3])
        run(order, fds[:3], scout)
    for fd in (*fds[:4], scout):
        if fd is not None:
            os.close(fd)
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def receive(control: socket.socket) -> tuple[bytes, list[int]]:
    """One message with its descriptors."""
    numbers = array.array("i")
    text, ancillary, _flags, _address = control.recvmsg(_MESSAGE, socket.CMSG_SPACE(16 * numbers.itemsize), socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return text, list(numbers)


def main(control: int, module: str, call_filter: str) -> None:
    """Load `module` (`python -m MODULE` is what will be run), say so, and serve."""
    channel = socket.socket(fileno=control)
    drop_capabilities(_NEEDED)
    forbid_new_privileges()
    filter_calls(bytes.fromhex(call_filter))
    if sys.path and not sys.path[0]:
        del sys.path[0]
    load(module)
    settle()
    count = threads()
    channel.send(json.dumps({"threads": module} if count > 1 else loaded()).encode())
    if count == 1:
        Zygote(channel).serve()
