"""The agent's own loop: take an attempt, have it run, say that it is gone; end with the other side of the socket.

In strict mode that is process 1 of the container, which has one attempt. In fast mode it is the stem: a child of process 1 in namespaces in
which it may mount and make further ones, with all that attempts have in common laid already. Attempts are its children, and so is the
zygote, where one is asked for. The stem's end is the end of all of them, and of the container.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import select
import signal
import socket
import sys

from suture_sandbox.docker.inside import kernel, view, wire
from suture_sandbox.docker.inside.attempt import Attempt
from suture_sandbox.docker.inside.breeding import Zygote
from suture_sandbox.docker.inside.request import Breeding, Request, parse


def main(place: str, idle_seconds: int, mode: str) -> None:
    """Connect to the socket at `place`; take attempts until the other side is gone, or silent for too long."""
    kernel.show(False)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # which the kernel keeps from the first process of a namespace
    os.umask(0o022)
    gc.disable()
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(place)
    counters = kernel.Counters()
    if mode == "strict":
        with contextlib.suppress(EOFError, OSError):
            _greet(connection, counters)
            Attempt(connection, counters, None, *_read(connection, wire.receive(connection)[1])).run()
            wire.send(connection, b"X")
        return
    stem, user, group = 0, os.getuid(), os.getgid()
    try:
        stem = kernel.new_namespaces(kernel.NEW_USER | kernel.NEW_MOUNTS | kernel.NEW_PIDS)
        ground = view.prepare(user, group) if stem == 0 else None
    except OSError as error:
        _greet(connection, counters, problem=str(error.strerror or error))
        os._exit(3)
    if ground is None:
        connection.close()
        os.waitpid(stem, 0)
        sys.exit(4)
    Stem(connection, counters, ground).serve(idle_seconds)
    os._exit(0)


def _greet(connection: socket.socket, counters: kernel.Counters, problem: str = "") -> None:
    hello = {"python": sys.version.split()[0], "machine": os.uname().machine, "counters": counters.usable, "problem": problem}
    wire.send(connection, b"H", json.dumps(hello).encode())


def _read(connection: socket.socket, content: bytes) -> tuple[Request, list[bytes]]:
    request = parse(content)
    return request, [wire.receive(connection)[1] for _ in range(request.blobs)]


class Stem:
    """The process that attempts are children of."""

    def __init__(self, connection: socket.socket, counters: kernel.Counters, ground: view.Ground) -> None:
        self._connection = connection
        self._counters = counters
        self._ground = ground
        self._zygote: Zygote | None = None

    def serve(self, idle_seconds: int) -> None:
        """Until the other side is gone, or silent for too long."""
        kernel.keep_rights(kernel.NEEDED)
        gc.freeze()  # what a collection would touch would have to be copied in every child
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        with contextlib.suppress(EOFError, OSError):
            _greet(self._connection, self._counters)
            while poll.poll(idle_seconds * 1000):
                letter, content = wire.receive(self._connection)
                if letter == b"R":
                    self._attempt(content)
                    wire.send(self._connection, b"X")
                elif letter == b"Z":
                    wire.send(self._connection, b"Z", self._breed(content))
                # K was meant for an attempt that had just ended

    def _breed(self, content: bytes) -> bytes:
        """Start the zygote, or have it load more; what it says."""
        wanted = Breeding(**json.loads(content))
        if self._zygote is None:
            self._zygote = Zygote(wanted, self._counters, self._ground)
        return self._zygote.load(wanted)

    def _attempt(self, content: bytes) -> None:
        """Have an attempt run to its end; ends this program where its first process did not end as it should."""
        request, blobs = _read(self._connection, content)
        if request.module:
            if self._zygote is None or not self._zygote.attempt(content, blobs, self._connection):
                sys.exit(4)  # what was being said may have been cut off
            return
        try:
            child = kernel.new_namespaces(kernel.OF_ATTEMPTS)
        except OSError as error:
            wire.send(self._connection, b"D", json.dumps({"problem": "setup", "says": str(error.strerror or error)}).encode())
            return
        if child == 0:
            Attempt(self._connection, self._counters, self._ground, request, blobs).run_and_leave()
        _, status = os.waitpid(child, 0)
        if status != 0:
            sys.exit(4)
