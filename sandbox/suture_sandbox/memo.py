"""The memo of results: what a check, or a program of suture's own, said about a content in an environment, so that it need not run again.

It is asked only by those who ask for it (`memo=True` of `Sandbox.check` and `Sandbox.run`): never for reruns that are to show flakiness,
never for the runs that a proof rests on, never under a perturbation, never for a command that a policy wrote. It keeps only runs that
ended by themselves (passed or failed, with or without findings), and only where no file changed while they ran. It is kept in memory, and
where a folder is given also there: one file a result, readable by its owner only, named by the hash of everything that decides the
result, dropped when it is older than a day (a check may ask for the time) or when there are too many. A lost or damaged file costs time,
never a wrong answer.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from suture_sandbox.backend import Command, Completed
from suture_sandbox.capture.files import write_atomically
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.content import ContentIndex, Key
from suture_sandbox.environment import Environment
from suture_sandbox.identity import identity_of
from suture_sandbox.snapshot import Snapshot

FORMAT = 2
LONGEST_SECONDS = 86_400
"""How long a result is believed."""
MOST_IN_MEMORY, MOST_ON_DISK = 512, 4096
"""Results; the oldest go first."""
LARGEST = 4 << 20
"""Bytes of one result on the disk; a larger one stays in memory."""
MOST_PRINTED = 64 << 20
"""Bytes that all the programs in memory may have printed."""

Kept = CheckResult | Completed


class Ticket(msgspec.Struct, frozen=True):
    """What a lookup knows of the run that it stands for; the result is put back under it."""

    name: str
    place: tuple[Path, str]
    key: Key
    command: bool = False
    """Whether it is a program's run and not a check's."""


class Memo:
    """Results of checks by content."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._indexes: dict[tuple[Path, str], ContentIndex] = {}
        self._results: OrderedDict[str, tuple[float, Kept]] = OrderedDict()
        self._printed = 0
        self._puts = 0
        self.hits = self.misses = 0

    def ticket(self, environment: Environment, check: Check, snapshot: Snapshot, select: Sequence[str], seconds: int) -> Ticket:
        """Names a check's run by everything that decides its result."""
        return self._ticket(environment, snapshot, [identity_of(check), list(select), seconds], command=False)

    def ticket_of_command(self, environment: Environment, command: Command, snapshot: Snapshot) -> Ticket:
        """Names a program's run by everything that decides what comes of it."""
        stdin = hashlib.sha256(command.stdin).hexdigest()
        parts = [list(command.argv), command.folder, dict(command.variables), stdin, command.seconds, command.keep]
        return self._ticket(environment, snapshot, parts, command=True)

    def _ticket(self, environment: Environment, snapshot: Snapshot, parts: list[Any], *, command: bool) -> Ticket:
        place = (snapshot.root, environment.identity)  # what is masked, and which folders are the environment's own
        key = self._indexes.setdefault(place, ContentIndex(snapshot.root, environment)).key(snapshot)
        # the root too: paths are in messages, and a workspace appears inside at its own path
        whole = [FORMAT, command, environment.identity, parts, str(snapshot.root), key.content]
        return Ticket(identity_of(whole), place, key, command)

    def get(self, ticket: Ticket) -> Kept | None:
        """The result that is kept, None where there is none, or its age is not to be believed."""
        found = self._results.get(ticket.name)
        if found is None and self._folder is not None:
            found = self._read(ticket)
        if found is None or not 0 <= time.time() - found[0] <= LONGEST_SECONDS:  # a clock may have been put back since
            self.misses += 1
            return None
        self._remember(ticket.name, found)
        self.hits += 1
        return found[1]

    def put(self, ticket: Ticket, snapshot: Snapshot, result: Kept) -> None:
        """Keep a result, unless it says nothing lasting or the workspace changed while it ran."""
        lasting = result.ended == "exited" if isinstance(result, Completed) else result.status in ("passed", "failed")
        if not lasting or self._indexes[ticket.place].key(snapshot) != ticket.key:
            return
        entry = (time.time(), result)
        self._remember(ticket.name, entry)
        if self._folder is not None:
            self._write(ticket.name, entry)

    def forget(self, ticket: Ticket) -> None:
        """Drop a result that a fresh run contradicts."""
        self._drop(ticket.name)
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._place(ticket.name).unlink()

    def _remember(self, name: str, entry: tuple[float, Kept]) -> None:
        self._drop(name)
        self._results[name] = entry
        self._printed += _printed(entry[1])
        while len(self._results) > MOST_IN_MEMORY or self._printed > MOST_PRINTED:
            self._drop(next(iter(self._results)))

    def _drop(self, name: str) -> None:
        entry = self._results.pop(name, None)
        if entry is not None:
            self._printed -= _printed(entry[1])

    def _place(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.msgpack"

    def _read(self, ticket: Ticket) -> tuple[float, Kept] | None:
        """A result from the disk; its own hash stands before it, so that a damaged one is none."""
        try:
            place = self._place(ticket.name)
            state = os.stat(place, follow_symlinks=False)  # noqa: PTH116  # the same call
            content = place.read_bytes() if state.st_uid == os.geteuid() and state.st_size <= LARGEST else b""
        except OSError:
            return None
        if len(content) < 32 or hashlib.sha256(content[32:]).digest() != content[:32]:
            return None
        try:
            if ticket.command:
                return msgspec.msgpack.decode(content[32:], type=tuple[float, Completed])
            return msgspec.msgpack.decode(content[32:], type=tuple[float, CheckResult])
        except (msgspec.DecodeError, RecursionError):
            return None

    def _write(self, name: str, entry: tuple[float, Kept]) -> None:
        assert self._folder is not None
        packed = msgspec.msgpack.encode(entry)
        if len(packed) > LARGEST:
            return
        with contextlib.suppress(OSError):  # a full disk must not end a run
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._place(name), hashlib.sha256(packed).digest() + packed)
            self._puts += 1
            if self._puts % 64 == 1:
                self._tidy()

    def _tidy(self) -> None:
        """Delete what is too old, and the oldest of what is too much."""
        assert self._folder is not None
        with os.scandir(self._folder) as listed:
            files = sorted((entry.stat().st_mtime, entry.path) for entry in listed if entry.name.endswith(".msgpack"))
        oldest = time.time() - LONGEST_SECONDS
        excess = max(0, len(files) - MOST_ON_DISK)
        for number, (moment, path) in enumerate(files):
            if moment < oldest or number < excess:
                with contextlib.suppress(OSError):
                    os.unlink(path)  # noqa: PTH108  # paths are str here


def _printed(result: Kept) -> int:
    """Bytes that count; of a check's result little more is kept than its findings."""
    if isinstance(result, CheckResult):
        return 0
    return sum(len(part or b"") for part in (result.stdout, result.stderr, result.report, *result.changes.values()))
