"""Warm attempts in containers: started beside the work, used where they are ready, given up where they fail.

Containers with a zygote are kept apart from the others (`Wanted.module`). What the first attempt was seen to load of the image is loaded by
the zygotes from then on. A zygote that is lost costs time: the attempt runs cold.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import msgspec

from suture_sandbox.backend import Command, Completed
from suture_sandbox.docker.attempt import Attempt
from suture_sandbox.docker.connection import Bred
from suture_sandbox.docker.container import Wanted
from suture_sandbox.docker.order import Order, breeding
from suture_sandbox.docker.pool import Pool
from suture_sandbox.docker.warm import Warm
from suture_sandbox.environment import Environment
from suture_sandbox.errors import InfrastructureError
from suture_sandbox.local.warm import orders
from suture_sandbox.snapshot import Snapshot

logger = logging.getLogger(__name__)

MOST_REFUSALS = 3
"""Attempts in a row that could not be made before there are no more."""
MOST_THREADED = 20
_MOST_NAMES = 5000

Ask = Callable[[bool], Coroutine[Any, Any, Order]]
"""The order for an attempt; whether it is to scout."""


class _Entry:
    """What is known of the zygotes for one thing."""

    def __init__(self) -> None:
        self.problem = ""
        self.refusals = 0
        self.scouted = False
        self.names: list[str] = []
        """What the checks were seen to load."""
        self.left_out: set[str] = set()
        """Modules that start threads."""
        self.settled = asyncio.Event()
        """Set while nothing is being started or loaded."""
        self.settled.set()
        self.loaded: frozenset[str] = frozenset()


class Zygotes:
    """Belongs to one event loop, as its pool does."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._entries: dict[tuple[Wanted, str], _Entry] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, want: Wanted, snapshot: Snapshot, environment: Environment, command: Command, ask: Ask) -> Completed | None:
        """Run a command warm; None where it cannot be, or cannot be yet."""
        entry = self._entry(want, environment)
        if entry.problem or await asyncio.to_thread(orders.shadows, snapshot, environment, entry.loaded):
            return None
        scout = not entry.scouted
        order = await ask(scout)
        async with self._pool.ready(want) as warm:
            if warm is None:
                self._begin(entry, self._start(entry, want, snapshot, environment))
                return None
            try:
                attempt, done = await self._attempt(warm, order, snapshot, environment, command)
            except InfrastructureError as error:
                logger.info("a warm attempt could not be made: %s", error)
                entry.refusals += 1
                entry.problem = str(error) if entry.refusals >= MOST_REFUSALS else ""
                return None
            entry.refusals = 0
            names = _names(attempt.scouted) if scout and done.exit_code in (0, 1) else []
            if names and not entry.names:
                entry.names, entry.scouted = names, True
                if self._begin(entry, self._load(entry, warm, snapshot, environment)):
                    return done
            await self._pool.give(warm)
            return done

    async def prepare(self, want: Wanted, snapshot: Snapshot, environment: Environment, seconds: float) -> str:
        """Have a zygote, and wait until it is ready; why there is none, empty where there is."""
        entry = self._entry(want, environment)
        if not entry.loaded and not entry.problem:
            self._begin(entry, self._start(entry, want, snapshot, environment))
        try:
            await asyncio.wait_for(entry.settled.wait(), seconds)
        except TimeoutError:
            return "the zygote is not ready yet"
        name = await asyncio.to_thread(orders.shadows, snapshot, environment, entry.loaded)
        return entry.problem or (f"the workspace has a module of its own that is called {name}" if name else "")

    async def close(self) -> None:
        """Wait for what is being started; idempotent."""
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _entry(self, want: Wanted, environment: Environment) -> _Entry:
        return self._entries.setdefault((want, environment.identity), _Entry())

    def _begin(self, entry: _Entry, work: Coroutine[None, None, None]) -> bool:
        """Start or load something beside the work, one thing at a time; whether it was begun."""
        if not entry.settled.is_set():
            work.close()
            return False
        entry.settled.clear()
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def over(done: asyncio.Task[None]) -> None:
            self._tasks.discard(done)
            entry.settled.set()

        task.add_done_callback(over)
        return True

    async def _attempt(
        self, warm: Warm, order: Order, snapshot: Snapshot, environment: Environment, command: Command
    ) -> tuple[Attempt, Completed]:
        """One attempt; whatever goes wrong with it, its container is removed."""
        began = time.monotonic()
        attempt = Attempt(warm.connection, order, environment)
        try:
            await attempt.run(warm.remove)
            seconds = time.monotonic() - began
            return attempt, await asyncio.to_thread(attempt.completed, command, snapshot, environment, seconds)
        except BaseException:
            await asyncio.shield(warm.remove())
            raise

    async def _start(self, entry: _Entry, want: Wanted, snapshot: Snapshot, environment: Environment) -> None:
        try:
            warm = await self._pool.start(want)
        except InfrastructureError as error:
            entry.problem = str(error)
            return
        await self._load(entry, warm, snapshot, environment)

    async def _load(self, entry: _Entry, warm: Warm, snapshot: Snapshot, environment: Environment) -> None:
        """Have a container's zygote load what is to be loaded, and give the container to the pool."""
        try:
            said = await self._said(entry, warm, snapshot, environment)
        except BaseException:
            await asyncio.shield(warm.remove())
            raise
        warm.names = entry.loaded = frozenset(said.names)
        if not said.problem and not said.threads:
            await self._pool.give(warm)
            return
        await warm.remove()
        if said.threads and said.threads != warm.want.module and len(entry.left_out) < MOST_THREADED:
            entry.left_out.add(said.threads.partition(".")[0])
            await self._start(entry, warm.want, snapshot, environment)
        else:
            entry.problem = said.problem or f"{said.threads} starts threads when it is imported"
            logger.info("no warm attempts in containers: %s", entry.problem)

    async def _said(self, entry: _Entry, warm: Warm, snapshot: Snapshot, environment: Environment) -> Bred:
        names: Iterable[str] = (name for name in entry.names if name.partition(".")[0] not in entry.left_out)
        try:
            return await warm.connection.breed(breeding(environment, snapshot.root, warm.want.module, tuple(names)))
        except (EOFError, OSError, msgspec.MsgspecError) as error:
            return Bred(problem=f"the container ended while its zygote was started: {error}")


def _names(text: bytes) -> list[str]:
    """The list of a scout; it was written by whatever ran, so it is only a list of names to look for in the image."""
    names: list[str] = []
    with contextlib.suppress(msgspec.MsgspecError):
        names = msgspec.json.decode(text, type=list[str])[:_MOST_NAMES]
    return [name for name in names if name.replace(".", "").isidentifier()]
