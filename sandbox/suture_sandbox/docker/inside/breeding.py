"""The zygote as the stem sees it: starting it, having it load modules, and having it fork an attempt."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import sys

from suture_sandbox.docker.inside import kernel, view, wire
from suture_sandbox.docker.inside.command import write_all
from suture_sandbox.docker.inside.request import Breeding

LOAD_SECONDS = 30
"""A zygote that has not loaded what it should by then is given up."""
_DISK_MIB = 64
_MESSAGE = 1 << 20

_BOOT = """
import sys
sys.path.insert(0, sys.argv[1])
from suture_sandbox.docker.inside import zygote
zygote.main(*sys.argv[1:])
"""


class Zygote:
    """One zygote, which starts when this is made."""

    def __init__(self, wanted: Breeding, counters: kernel.Counters, ground: view.Ground) -> None:
        self._control, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._pid = kernel.new_namespaces(kernel.OF_ATTEMPTS)
        if self._pid == 0:
            try:
                _become(wanted, counters, ground, inner)
            except BaseException as error:  # noqa: BLE001  # a forked child must not go on as if it were the stem
                with contextlib.suppress(OSError):
                    inner.send(json.dumps({"problem": repr(error)}).encode())
            os._exit(3)
        inner.close()

    def load(self, wanted: Breeding) -> bytes:
        """Have it load modules; its answer, or why there is none."""
        said = b""
        with contextlib.suppress(OSError):
            self._control.send(json.dumps({"names": wanted.names, "prefixes": wanted.prefixes}).encode())
            poll = select.poll()
            poll.register(self._control, select.POLLIN)
            said = self._control.recv(_MESSAGE) if poll.poll(LOAD_SECONDS * 1000) else b""
        return said or json.dumps({"problem": "it has ended, or takes too long to load what it should"}).encode()

    def attempt(self, content: bytes, blobs: list[bytes], connection: socket.socket) -> bool:
        """Have it fork an attempt, and wait for its end; False where it, or the attempt's first process, did not end as it should."""
        payload = os.memfd_create("attempt")
        for piece in (content, *blobs):
            write_all(payload, piece)
        order = json.dumps({"lengths": [len(piece) for piece in (content, *blobs)]}).encode()
        try:
            wire.hand_over(self._control, order, [connection.fileno(), payload])
            return self._control.recv(_MESSAGE) == b"over"
        except OSError:
            return False
        finally:
            os.close(payload)


def _become(wanted: Breeding, counters: kernel.Counters, ground: view.Ground, control: socket.socket) -> None:
    """In a child with namespaces of its own: the environment's interpreter, as a program that makes attempts."""
    memory = wanted.shared_memory
    view.lay(ground, wanted.root, disk_mib=_DISK_MIB, shared_memory=memory, home=wanted.home, fresh=False)
    os.chdir(wanted.home)
    for descriptor in (control.fileno(), *(file for file, _ in counters.files if file >= 0)):
        os.set_inheritable(descriptor, True)
    null = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    told = [str(control.fileno()), json.dumps(counters.files), json.dumps(ground), wanted.module]
    os.execve(wanted.python, [wanted.python, "-c", _BOOT, sys.path[0], *told], wanted.variables)  # noqa: S606  # that is the point
