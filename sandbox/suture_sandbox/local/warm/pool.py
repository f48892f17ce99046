"""The zygotes of a backend: started beside the work, used where they are ready, given up where they fail."""

from __future__ import annotations

import functools
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec

from suture_sandbox.backend import Command, Completed
from suture_sandbox.environment import Environment
from suture_sandbox.errors import InfrastructureError
from suture_sandbox.local import account
from suture_sandbox.local.attempt import Attempt
from suture_sandbox.local.masks import Masks
from suture_sandbox.local.plan import read_memory
from suture_sandbox.local.start import Stop
from suture_sandbox.local.warm import borrow, orders
from suture_sandbox.local.warm.process import NotWarm, Threaded, Zygote
from suture_sandbox.snapshot import Snapshot

logger = logging.getLogger(__name__)

MOST = 4
"""Zygotes at once; the one that was used longest ago makes room."""
IDLE_SECONDS = 900.0
MOST_REFUSALS = 3
"""Attempts in a row that could not be forked before a zygote is given up."""
MOST_THREADED = 20
_MOST_NAMES = 5000
_LARGEST_LIST = 1 << 20
_LOOK_SECONDS = 30.0


class Wanted(msgspec.Struct, frozen=True):
    """What a zygote is for."""

    root: Path
    environment: str
    """Its identity."""
    module: str


class _Entry:
    """A zygote, or why there is none."""

    def __init__(self) -> None:
        self.zygote: Zygote | None = None
        self.problem = ""
        self.refusals = 0
        self.dropped = False
        """Nobody asks it any more: nothing is started for it."""
        self.scouted = False
        self.settled = threading.Event()
        """Set while nothing is being started or loaded."""
        self.left_out: set[str] = set()
        """Modules that start threads."""
        self.names: list[str] = []
        """What the checks were seen to import."""


class Zygotes:
    """Safe to use from many threads. `bwrap` and `calls` are the program and the system call filter of the backend."""

    def __init__(self, bwrap: Callable[[], str], calls: Callable[[], bytes | None]) -> None:
        self._bwrap = bwrap
        self._calls = calls
        self._entries: dict[Wanted, _Entry] = {}
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def open(self) -> None:
        """Begin to work. Called on a thread that is in no attempt's control group, since zygotes inherit it."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="suture-zygotes", daemon=True)
                self._thread.start()

    def run(self, snapshot: Snapshot, environment: Environment, command: Command, masks: Masks, stop: Stop) -> Completed | None:
        """Run a command warm; None where it cannot be, or cannot be yet."""
        module = orders.module_of(command, environment)
        if not module:
            return None
        wanted = Wanted(snapshot.root, environment.identity, module)
        entry = self._entry(wanted, environment)
        zygote = entry.zygote
        if zygote is None or entry.problem or orders.shadows(snapshot, environment, zygote.names):
            return None
        try:
            done = self._attempt(entry, zygote, wanted, snapshot, environment, command, masks, stop)
        except NotWarm as error:
            self._refused(entry, error)
            return None
        entry.refusals = 0
        return done

    def prepare(self, snapshot: Snapshot, environment: Environment, command: Command, seconds: float) -> str:
        """Have a zygote for a command, and wait until it is ready; why there is none, empty where there is."""
        module = orders.module_of(command, environment)
        if not module:
            return "only `python -m MODULE` can be run warm"
        entry = self._entry(Wanted(snapshot.root, environment.identity, module), environment)
        if not entry.settled.wait(seconds):
            return "the zygote is not ready yet"
        if not entry.problem and entry.zygote is not None:
            name = orders.shadows(snapshot, environment, entry.zygote.names)
            return f"the workspace has a module of its own that is called {name}" if name else ""
        return entry.problem or "the zygote has ended"

    def close(self) -> None:
        """End all; idempotent."""
        with self._lock:
            thread, self._thread = self._thread, None
            for entry in list(self._entries.values()):
                self._drop(entry)
        if thread is not None:
            self._work.put(None)
            thread.join()

    def _entry(self, wanted: Wanted, environment: Environment) -> _Entry:
        with self._lock:
            entry = self._entries.get(wanted)
            if entry is None:
                entry = self._entries[wanted] = _Entry()
                self._order(entry, functools.partial(self._start, entry, wanted, environment))
            elif entry.zygote is not None and not entry.zygote.alive:
                entry.zygote.close()
                entry.zygote = None
                self._order(entry, functools.partial(self._again, entry, wanted, environment))
            return entry

    def _order(self, entry: _Entry, work: Callable[[], None]) -> None:
        entry.settled.clear()

        def done() -> None:
            work()
            entry.settled.set()

        self._work.put(done)

    def _again(self, entry: _Entry, wanted: Wanted, environment: Environment) -> None:
        """After one has ended: a new one, with what was known of it."""
        self._start(entry, wanted, environment)
        if entry.names:
            self._load(entry, wanted, environment)

    def _attempt(
        self,
        entry: _Entry,
        zygote: Zygote,
        wanted: Wanted,
        snapshot: Snapshot,
        environment: Environment,
        command: Command,
        masks: Masks,
        stop: Stop,
    ) -> Completed:
        with ExitStack() as files:
            message, fds = orders.order(snapshot, environment, command, masks, self._calls(), files)
            report = fds[2] if message["report"] else None
            scout = self._scouting(entry, message, fds, files)
            attempt = Attempt(command, environment.limits, stop, None)
            done = attempt.run(functools.partial(zygote.begin, message, fds), report)
            if scout is not None and done.exit_code in (0, 1):
                self._scouted(entry, wanted, environment, read_memory(scout, _LARGEST_LIST))
            return done

    def _scouting(self, entry: _Entry, message: dict[str, Any], fds: list[int], files: ExitStack) -> int | None:
        """The first attempt tells which modules of the environment it has used."""
        with self._lock:
            if entry.scouted:
                return None
            entry.scouted = True
        scout = os.memfd_create("suture", os.MFD_CLOEXEC)
        files.callback(os.close, scout)
        fds.append(scout)
        message["scout"] = True
        return scout

    def _scouted(self, entry: _Entry, wanted: Wanted, environment: Environment, text: bytes) -> None:
        """Load what was used; the list was written by whatever ran, so it is only a list of names to look for in the toolchain."""
        try:
            names = msgspec.json.decode(text, type=list[str])[:_MOST_NAMES]
        except msgspec.MsgspecError:
            entry.scouted = False
            return
        entry.names = [name for name in names if name.replace(".", "").isidentifier()]
        self._order(entry, functools.partial(self._load, entry, wanted, environment))

    def _load(self, entry: _Entry, wanted: Wanted, environment: Environment) -> None:
        """On the pool's own thread: have a zygote import what the checks use; a new one where a module starts threads."""
        for _ in range(MOST_THREADED):
            zygote = entry.zygote
            if zygote is None:
                return
            names = [name for name in entry.names if name.partition(".")[0] not in entry.left_out]
            try:
                zygote.import_all(names, orders.prefixes(environment))
            except Threaded as threaded:
                entry.left_out.add(threaded.name.partition(".")[0])
                self._start(entry, wanted, environment)
            except NotWarm as error:
                entry.names = []
                self._refused(entry, error)
                self._start(entry, wanted, environment)
                return
            else:
                return

    def _start(self, entry: _Entry, wanted: Wanted, environment: Environment) -> None:
        """On the pool's own thread."""
        old, entry.zygote = entry.zygote, None
        if old is not None:
            old.close()
        if entry.dropped:
            return
        self._make_room(entry)
        try:
            entry.problem = ""
            bwrap = self._bwrap()
            user = account.choose(wanted.root, environment, bwrap)
            before = borrow.command(wanted.root, environment, bwrap) if os.geteuid() == 0 and user is None else ()
            self._put(entry, Zygote.start(bwrap, wanted.root, environment, user, wanted.module, before))
        except (InfrastructureError, OSError) as error:
            entry.problem = str(error)
        if entry.problem:
            logger.info("no warm attempts of %s: %s", wanted.root, entry.problem)

    def _put(self, entry: _Entry, zygote: Zygote) -> None:
        with self._lock:
            entry.zygote = zygote
            if entry.dropped:
                self._drop(entry)

    def _refused(self, entry: _Entry, error: NotWarm) -> None:
        logger.info("a warm attempt could not be made: %s", error)
        entry.refusals += 1
        if entry.refusals >= MOST_REFUSALS:
            entry.problem = str(error)

    def _make_room(self, entry: _Entry) -> None:
        with self._lock:
            others = [each for each in self._entries.values() if each is not entry and each.zygote is not None]
            others.sort(key=lambda each: each.zygote.used if each.zygote is not None else 0.0)
            for each in others[: max(0, len(others) - MOST + 1)]:
                self._drop(each)

    def _drop(self, entry: _Entry) -> None:
        for wanted, each in list(self._entries.items()):
            if each is entry:
                del self._entries[wanted]
        entry.dropped = True
        entry.settled.set()
        zygote, entry.zygote = entry.zygote, None
        if zygote is not None:
            zygote.close()

    def _serve(self) -> None:
        while True:
            try:
                work = self._work.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                self._drop_idle()
                continue
            if work is None:
                return
            work()

    def _drop_idle(self) -> None:
        past = time.monotonic() - IDLE_SECONDS
        with self._lock:
            for each in [each for each in self._entries.values() if each.zygote is not None and each.zygote.used < past]:
                self._drop(each)
