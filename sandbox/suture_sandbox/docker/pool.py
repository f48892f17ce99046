"""The containers of a backend: at most so many at once, kept warm, and given to one attempt at a time.

In strict mode a container has one attempt. From the second on, the next container is started meanwhile, so that who comes next need not
wait for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine

from suture_sandbox.docker.container import Wanted
from suture_sandbox.docker.daemon import Daemon, Facts
from suture_sandbox.docker.folder import Folder
from suture_sandbox.docker.warm import Warm, start


class Pool:
    """Warm containers. All methods belong to one event loop."""

    def __init__(self, daemon: Daemon, facts: Facts, folder: Folder, *, runtime: str, containers: int) -> None:
        self._daemon = daemon
        self._facts = facts
        self._folder = folder
        self._runtime = runtime
        self._containers = containers
        self._turns = asyncio.Semaphore(containers)
        self._idle: list[Warm] = []
        self._spares: set[asyncio.Task[None]] = set()
        self._asked: set[Wanted] = set()
        self._closed = False

    @contextlib.asynccontextmanager
    async def lease(self, want: Wanted) -> AsyncGenerator[Warm]:
        """A container for one attempt; whatever goes wrong meanwhile, it is removed instead of kept."""
        async with self._turns:
            warm = await self._take(want)
            if want.strict and want in self._asked:
                self._prepare(want)
            self._asked.add(want)
            fine = False
            try:
                yield warm
                fine = not want.strict
            finally:
                if fine and warm.usable and not self._closed:
                    self._idle.append(warm)
                else:
                    await _through(warm.remove())

    @contextlib.asynccontextmanager
    async def ready(self, want: Wanted) -> AsyncGenerator[Warm | None]:
        """One that waits, for one attempt; None where none does. Unlike `lease` it starts none, and it is for others to give it back."""
        async with self._turns:
            yield await self._waiting(want)

    async def give(self, warm: Warm) -> None:
        """Keep a container for the next attempt; it makes room for itself."""
        if self._closed or not warm.usable:
            await _through(warm.remove())
            return
        await self._make_room(warm.want)
        self._idle.append(warm)

    async def start(self, want: Wanted) -> Warm:
        """Start a container that is given to the pool, or removed, by who asked for it."""
        return await start(want, self._daemon, self._facts, self._folder, self._runtime)

    async def close(self) -> None:
        """Remove all that is kept; idempotent."""
        self._closed = True
        while self._spares:
            await asyncio.wait(self._spares)
        while self._idle:
            await _through(self._idle.pop().remove())

    async def _take(self, want: Wanted) -> Warm:
        warm = await self._waiting(want)
        if warm is None:
            await self._make_room(want)
        return warm or await self.start(want)

    async def _waiting(self, want: Wanted) -> Warm | None:
        while (warm := next((each for each in reversed(self._idle) if each.want == want), None)) is not None:
            self._idle.remove(warm)
            if warm.usable:
                return warm
            await _through(warm.remove())
        return None

    async def _make_room(self, want: Wanted) -> None:
        """As many wait as may, and none fits: the one that waits longest goes. Those with a zygote are counted apart."""
        while len(alike := [each for each in self._idle if bool(each.want.module) == bool(want.module)]) >= self._containers:
            self._idle.remove(alike[0])
            await _through(alike[0].remove())

    def _prepare(self, want: Wanted) -> None:
        if self._closed or self._spares or any(each.want == want for each in self._idle):
            return
        task = asyncio.create_task(self._spare(want))
        self._spares.add(task)
        task.add_done_callback(self._spares.discard)

    async def _spare(self, want: Wanted) -> None:
        with contextlib.suppress(Exception):  # whoever needs one starts one, and is told why it cannot be
            self._idle.append(await self.start(want))


async def _through(removal: Coroutine[None, None, None]) -> None:
    """Remove a container even where the task that does it is cancelled meanwhile."""
    task = asyncio.create_task(removal)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait([task])
        raise
