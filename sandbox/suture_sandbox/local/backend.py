"""`LocalBackend`: every command in its own bubblewrap sandbox on this machine. See the package's docstring for what that contains."""

from __future__ import annotations

import asyncio
import functools
import platform
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path

import msgspec

from suture_sandbox.backend import Command, Completed, Probe
from suture_sandbox.environment import Environment
from suture_sandbox.errors import SandboxFailed, SandboxFloorError
from suture_sandbox.local import account, bubblewrap, cgroups, guardian, keep, probe, seccomp, start
from suture_sandbox.local.attempt import Attempt
from suture_sandbox.local.masks import Masks, SecretIndex
from suture_sandbox.local.plan import Planner, read_memory
from suture_sandbox.local.warm import Zygotes
from suture_sandbox.snapshot import Snapshot

WARM_SECONDS = 60.0
MAX_ATTEMPTS = 64
"""Attempts that run at once; more wait for their turn."""


class LocalBackend:
    """Runs commands with bubblewrap. Safe to use from many tasks of one event loop at once."""

    def __init__(self, *, bwrap: str | None = None, control_groups: bool = True) -> None:
        """`bwrap` names the program instead of finding it; without `control_groups` the watchdog does their work."""
        self._given = bwrap
        self._pool = ThreadPoolExecutor(MAX_ATTEMPTS, thread_name_prefix="suture-attempt")
        self._groups = _Groups(control_groups)
        self._guardian = guardian.Guardian()
        self._zygotes = Zygotes(lambda: self._bwrap, lambda: self._seccomp)
        self._indexes: dict[tuple[Path, tuple[str, ...]], SecretIndex] = {}
        self._lock = threading.Lock()
        self._probe: Probe | None = None

    @property
    def name(self) -> str:
        """`local`."""
        return "local"

    @cached_property
    def _bwrap(self) -> str:
        return bubblewrap.find(self._given)

    @cached_property
    def _seccomp(self) -> bytes | None:
        return seccomp.build(platform.machine())

    async def probe(self) -> Probe:
        """Run `true` in a sandbox, once, and say what held."""
        if self._probe is None:
            self._probe = await probe.probe(self, self._level)
        return self._probe

    def _level(self) -> str:
        """Short name of the isolation that is active."""
        parts = [f"bubblewrap {'.'.join(map(str, bubblewrap.version(self._bwrap)))}"]
        parts += ["seccomp"] if self._seccomp is not None else []
        return " + ".join([*parts, "cgroup v1" if self._groups.usable else "watchdog"])

    async def run(self, snapshot: Snapshot, environment: Environment, command: Command) -> Completed:
        """Run `command` in a fresh attempt; see `Backend.run`."""
        if command.warm:
            self._zygotes.open()
        stop = start.Stop()
        attempt = self._pool.submit(self._attempt, snapshot, environment, command, stop)
        waiter = asyncio.wrap_future(attempt)
        try:
            return await asyncio.shield(waiter)
        except asyncio.CancelledError:
            stop.ask()
            await _wait(waiter, attempt)
            raise
        finally:
            stop.close()

    async def warm_up(self, snapshot: Snapshot, environment: Environment, command: Command) -> str:
        """Start a zygote for a command, and wait until it has loaded its tool."""
        self._zygotes.open()
        self._guardian.start(self._groups.parents)
        try:
            return await asyncio.to_thread(self._zygotes.prepare, snapshot, environment, command, WARM_SECONDS)
        except (OSError, SandboxFloorError) as error:
            return str(error)

    async def close(self) -> None:
        """Wait for running attempts and remove the control groups; idempotent."""
        await asyncio.to_thread(self._pool.shutdown)
        await asyncio.to_thread(self._zygotes.close)
        self._groups.remove()
        self._guardian.dismiss()

    def _attempt(self, snapshot: Snapshot, environment: Environment, command: Command, stop: start.Stop) -> Completed:
        try:
            return self._run(snapshot, environment, command, stop)
        except (OSError, ValueError) as error:  # ValueError: a NUL in an argument, a status line that is no JSON
            raise SandboxFailed(f"the sandbox failed: {error}") from error

    def _run(self, snapshot: Snapshot, environment: Environment, command: Command, stop: start.Stop) -> Completed:
        self._guardian.start(self._groups.parents)
        if command.warm and (done := self._zygotes.run(snapshot, environment, command, self._masks(snapshot.root, environment), stop)):
            return done
        group = self._groups.of_this_thread()
        if group is not None:
            group.limit(environment.limits)
        with ExitStack() as files:
            user = account.choose(snapshot.root, environment, self._bwrap)
            planner = Planner(snapshot, environment, files, (user.uid, user.gid) if user is not None else None)
            plan = planner.plan(command, self._masks(snapshot.root, environment), self._seccomp)
            attempt = Attempt(command, environment.limits, stop, group)
            completed = attempt.run(functools.partial(start.start, self._bwrap, plan, user), plan.report)
            if plan.changes is None:
                return completed
            changes, whole = keep.read_changes(read_memory(plan.changes, 2 * keep.MAX_BYTES), snapshot, environment.excluded)
            return msgspec.structs.replace(completed, changes=changes, kept_all=whole)

    def _masks(self, root: Path, environment: Environment) -> Masks:
        with self._lock:
            excluded = environment.excluded
            return self._indexes.setdefault((root, excluded), SecretIndex(root, excluded)).refresh(environment.unmasked)


class _Groups:
    """The control groups of a backend's worker threads."""

    def __init__(self, wanted: bool) -> None:
        self._wanted = wanted
        self._local = threading.local()
        self._made: list[cgroups.Group] = []
        self.remove = weakref.finalize(self, _remove_all, self._made)

    @cached_property
    def _parents(self) -> dict[str, Path]:
        parents = cgroups.find_parents() if self._wanted else {}
        cgroups.reap(parents)
        return parents

    @property
    def parents(self) -> tuple[str, ...]:
        """The folders in which groups are made."""
        return tuple(map(str, self._parents.values()))

    @property
    def usable(self) -> bool:
        """Whether control groups can be made here."""
        return bool(self._parents)

    def of_this_thread(self) -> cgroups.Group | None:
        """The calling thread's group, made on first use; None where none can be made."""
        if not self._parents:
            return None
        known: cgroups.Group | None = getattr(self._local, "group", None)
        if known is None:
            known = cgroups.Group(self._parents, threading.get_native_id())
            self._made.append(known)
            try:
                known.enter()
            except OSError:  # writable by its permissions, and still not to be had (a container's view of its groups)
                self._parents = {}
                return None
            self._local.group = known
        return known


def _remove_all(groups: list[cgroups.Group]) -> None:
    while groups:
        groups.pop().remove()


async def _wait(waiter: asyncio.Future[Completed], attempt: Future[Completed]) -> None:
    """Wait until the attempt is over, however often the waiting is cancelled; what became of it does not matter any more."""
    if attempt.cancel():
        return
    while not waiter.done():
        try:
            await asyncio.wait([waiter])
        except asyncio.CancelledError:
            continue
    if not waiter.cancelled():
        waiter.exception()
