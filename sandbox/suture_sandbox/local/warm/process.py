"""One zygote seen from outside: starting it, giving it orders, and the attempts that it forks."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from suture_sandbox.environment import Environment
from suture_sandbox.errors import InfrastructureError
from suture_sandbox.local import layout, seccomp
from suture_sandbox.local.output import Output
from suture_sandbox.local.plan import Plan, Planner
from suture_sandbox.local.start import Account, pipe, spawn
from suture_sandbox.local.warm.isolation import SCRATCH
from suture_sandbox.snapshot import Snapshot

START_SECONDS = 30.0
"""A zygote that is not ready by then is given up; so is one that imports for longer."""
READY_SECONDS = 5.0
"""An attempt that has not set itself up by then is given up."""
_MESSAGE = 1 << 20
_INSIDE = Path(__file__).parent
_CREDENTIALS = struct.Struct("3i")

_PARTS = ("isolation", "program", "zygote")
"""What runs inside, in the order in which one imports the other."""

# Loads the files that run inside, from memory files, and forgets that they are modules: a workspace may have some of the same names.
_BOOT = """
import sys, types
control, module, calls, *sources = sys.argv[1:]
parts = []
for name, number in zip({names!r}, sources):
    parts.append(types.ModuleType(name))
    sys.modules[name] = parts[-1]
    with open(int(number), encoding="utf-8") as file:
        exec(compile(file.read(), "<suture_inside>", "exec"), parts[-1].__dict__)
for part in parts:
    del sys.modules[part.__name__]
sys.argv = ["-c"]
parts[-1].main(int(control), module, calls)
""".format(names=tuple(f"suture_sandbox.local.warm.{part}" for part in _PARTS))


class _Loaded(msgspec.Struct):
    """What a zygote says after it has loaded something."""

    names: tuple[str, ...] = ()
    threads: str = ""


class NotWarm(InfrastructureError):
    """There is no warm attempt to be had; a cold one may well be."""


class Zygote:
    """A running zygote. Orders may come from many threads."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket) -> None:
        self._process = process
        self._control = control
        self._lock = threading.Lock()
        self.used = time.monotonic()
        self.names: frozenset[str] = frozenset()
        """Top-level names of what it has loaded."""

    @classmethod
    def start(
        cls, bwrap: str, root: Path, environment: Environment, account: Account | None, module: str, before: tuple[str, ...] = ()
    ) -> Zygote:
        """Start one that has `module` loaded; raises NotWarm with the reason, or what a cold attempt raises. `before` as in `spawn`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ExitStack() as files:
            files.callback(theirs.close)
            plan = _plan(Snapshot(root), environment, files, theirs, module)
            errors = os.memfd_create("suture", os.MFD_CLOEXEC)
            files.callback(os.close, errors)
            null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
            files.callback(os.close, null)
            zygote = cls(spawn(bwrap, plan, account, (null, null, errors), before), ours)
            theirs.close()
            try:
                zygote.names = zygote._hear()
            except NotWarm as error:
                zygote.close()
                said = os.pread(errors, 2000, 0).decode(errors="replace").strip().rpartition("\n")[2]
                raise NotWarm(f"{error}{f': {said}' if said else ''}") from None
        return zygote

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def import_all(self, names: Sequence[str], prefixes: Sequence[str]) -> None:
        """Have it import modules of the toolchain. Raises Threaded for one with which it cannot be used any more."""
        with self._lock:
            self._send({"names": list(names), "prefixes": list(prefixes)}, ())
            self.names = self._hear()

    def begin(self, order: dict[str, Any], fds: Sequence[int], sinks: tuple[Output, Output], files: ExitStack) -> Forked:
        """Fork an attempt. `fds` are its standard input, the files' bytes, and the report and the list of modules where they are wanted."""
        self.used = time.monotonic()
        gate, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        files.enter_context(gate)
        gate.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        ends = [pipe(files) for _ in sinks]
        writing = [end for _, end in ends]
        try:
            with self._lock:
                self._send(order, (inner.fileno(), fds[0], *writing, *fds[1:]))
        finally:
            inner.close()
            for fd in writing:
                os.close(fd)
        return Forked(self, {reading: sink for (reading, _), sink in zip(ends, sinks, strict=True)}, gate)

    def close(self) -> None:
        """Kill it, and with it every attempt that it has forked; idempotent."""
        self._process.kill()
        self._process.wait()
        self._control.close()

    def _send(self, message: dict[str, Any], fds: Sequence[int]) -> None:
        try:
            self._control.settimeout(READY_SECONDS)
            socket.send_fds(self._control, [json.dumps(message).encode()], list(fds))
        except OSError as error:
            raise NotWarm(f"the zygote is gone: {error}") from error

    def _hear(self) -> frozenset[str]:
        """The names of what it has loaded; raises NotWarm where it does not say, or has threads."""
        self._control.settimeout(START_SECONDS)
        try:
            said = msgspec.json.decode(self._control.recv(_MESSAGE), type=_Loaded)
        except (OSError, msgspec.MsgspecError) as error:
            raise NotWarm(f"the zygote did not start or does not answer: {error}") from error
        if said.threads:
            raise Threaded(said.threads)
        return frozenset(said.names)


class Threaded(NotWarm):
    """What was imported has started threads, so that the process cannot be forked safely."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} starts threads when it is imported")
        self.name = name


class Forked:
    """An attempt that a zygote has forked, for `Attempt` to watch."""

    def __init__(self, zygote: Zygote, streams: dict[int, Output], gate: socket.socket) -> None:
        self.streams = streams
        self.gate = gate
        self.outer: int | None = None
        self.ready = False
        self.returncode = -1
        self.cpu_seconds = 0.0
        self._zygote = zygote
        self._pid: int | None = None
        self._why = ""
        self._over = False
        self._give_up = time.monotonic() + READY_SECONDS

    def hear(self) -> bool:
        """First that it is ready, or why not; then how it ended. The kernel says who speaks."""
        try:
            text, ancillary, *_ = self.gate.recvmsg(_MESSAGE, socket.CMSG_SPACE(_CREDENTIALS.size))
        except OSError:
            text, ancillary = b"", []
        if text == b"ready" and self._pid is None:
            self._pid = _sender(ancillary)
            self.ready = self._pid is not None
            return True
        self._over = True
        if not self.ready:
            self._why = text[1:].decode(errors="replace") or "the zygote is gone"
            return False
        with contextlib.suppress(ValueError, msgspec.MsgspecError):
            status, self.cpu_seconds = msgspec.json.decode(text, type=tuple[int, float])
            self.returncode = os.waitstatus_to_exitcode(status)
        return False

    def first_process(self) -> int | None:
        """The first process of its namespace."""
        return self._pid

    def open_gate(self) -> None:
        """Let the program begin."""
        with contextlib.suppress(OSError):
            self.gate.send(b"\n")

    def patience_is_over(self) -> None:
        """A zygote whose attempts do not come to be is of no use."""
        if time.monotonic() > self._give_up:
            self._zygote.close()

    def reap(self) -> None:
        """Its parent is the zygote, which has waited for it when it tells how it ended."""
        if not self._over:
            self._zygote.close()

    def failure(self, stderr: bytes) -> Exception | None:
        """Why it did not begin, or that the zygote did not see its end."""
        if self.ready:
            return NotWarm("the zygote ended before the attempt did")
        return NotWarm(self._why or stderr.decode(errors="replace").strip()[:300])


def _sender(ancillary: list[tuple[int, int, bytes]]) -> int | None:
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_CREDENTIALS:
            return int(_CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0])
    return None


def _plan(snapshot: Snapshot, environment: Environment, files: ExitStack, control: socket.socket, module: str) -> Plan:
    """The zygote's own sandbox: what an attempt has, but that it may make namespaces and mounts inside it."""
    planner = Planner(snapshot, environment, files)
    sources = [planner.memory((_INSIDE / f"{name}.py").read_bytes()) for name in _PARTS]
    options = [*layout.isolation_of_zygote(), *layout.variables(environment, {})]
    options += layout.mounts_of_zygote(snapshot.root, environment, SCRATCH)
    for path, content in layout.ETC_FILES.items():
        options += planner.file(path, content)
    options += ["--chmod", "0555", "/etc", "--chmod", "0555", "/", "--remount-ro", "/", "--chdir", layout.HOME]
    calls = seccomp.build(platform.machine(), seccomp.FOR_ZYGOTE) or b""
    command = (environment.runtime.python, "-c", _BOOT, str(control.fileno()), module, calls.hex(), *map(str, sources))
    return Plan(options=tuple(options), command=command, inherit=(*planner.inherit, control.fileno()), report=None, changes=None)
