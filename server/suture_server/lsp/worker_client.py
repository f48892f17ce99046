"""The language server's end of the worker: starts the process when there is something to do, asks it, and ends it.

A request that is cancelled here is cancelled there, and this waits until the worker says that nothing of it runs any more; a worker that
does not say so in time is killed with all that it runs. A worker that ends by itself costs the requests that it had, no more.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from suture_server.worker import wire

logger = logging.getLogger(__name__)

T = TypeVar("T")

UNTRUSTED = "the workspace is not trusted"
BURIAL_SECONDS = 2.0
"""A cancelled request that is not dead by then is ended with its worker."""
MOST_DEATHS, DEATHS_SECONDS = 3, 60.0
"""A worker that dies that often in that time is not started again before the time is over."""


class WorkerRefused(Exception):
    """The worker could not do what it was asked."""

    def __init__(self, kind: wire.Refused, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.kind: wire.Refused = kind
        self.remedy = remedy

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text} (try: {self.remedy})" if self.remedy else text


class WorkerClient:
    """One worker process at most."""

    def __init__(
        self,
        root: Path,
        overrides: Callable[[], Mapping[str, Any]],
        heard: Callable[[wire.FromWorker], None],
        trusted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._root = root
        self._trusted = trusted
        self._overrides = overrides
        self._heard = heard
        self._numbers = itertools.count(1)
        self._pending: dict[int, asyncio.Future[msgspec.Raw]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._opening: asyncio.Task[wire.Opened] | None = None
        self._deaths: list[float] = []
        self._used = time.monotonic()
        self.over = False
        """Whether the workspace was closed: there is to be no worker any more."""
        self.told: wire.Opened | None = None
        """What the open worker said of the workspace; None while there is none."""

    @property
    def pid(self) -> int | None:
        """The process, where there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def idle_seconds(self) -> float:
        """How long nothing was asked; 0 while something is in work."""
        return 0.0 if self._pending else time.monotonic() - self._used

    async def opened(self) -> wire.Opened:
        """Start the worker and open the workspace, once. Raises WorkerRefused."""
        if not self._trusted():
            raise WorkerRefused("configuration", UNTRUSTED)
        if self.over:
            raise WorkerRefused("infrastructure", "the workspace is closed")
        if self._opening is None or (self._opening.done() and (self._opening.cancelled() or self._opening.exception() is not None)):
            self._opening = asyncio.get_running_loop().create_task(self._open())
        opening, task = self._opening, asyncio.current_task()
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            if opening.cancelled() and task is not None and not task.cancelling():
                raise WorkerRefused("gone", "the workspace is opened anew") from None
            raise

    async def ask(self, kind: type[T], request: Callable[[int], wire.Request]) -> T:
        """Ask, with the worker opened before. Raises WorkerRefused."""
        await self.opened()
        return await self._ask(kind, request)

    def say(self, message: wire.Buffers) -> None:
        """Tell something that has no answer; nothing where there is no worker, who is told everything when it opens."""
        if self._writer is not None and self.told is not None:
            self._writer.write(wire.pack(message))

    def forgive(self) -> None:
        """A person asks for a new start: earlier ends do not count."""
        self._deaths.clear()

    async def end(self) -> None:
        """End the worker: its socket first, so that it can end what it runs, then the process; idempotent."""
        process, self._process = self._process, None
        writer, self._writer = self._writer, None
        opening, self._opening = self._opening, None
        reading, self._reading = self._reading, None
        self.told = None
        if opening is not None:
            opening.cancel()
        if reading is not None:
            reading.cancel()
        if writer is not None:
            writer.close()
        self._fail("the worker was ended")  # before the next one is asked anything
        if process is not None:
            await _ended(process)

    async def _open(self) -> wire.Opened:
        if self._process is None:
            await self._start()
        self.told = await self._ask(wire.Opened, lambda number: wire.Open(id=number, overrides=self._overrides()))
        return self.told

    async def _start(self) -> None:
        now = time.monotonic()
        self._deaths = [death for death in self._deaths if now - death < DEATHS_SECONDS]
        if len(self._deaths) >= MOST_DEATHS:
            raise WorkerRefused(
                "infrastructure",
                f"the worker process ended {len(self._deaths)} times within a minute",
                "look at the server's log, then run the command suture.restart",
            )
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            descriptor = str(theirs.fileno())
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "suture_server.worker", descriptor, str(self._root), str(os.getpid())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                cwd="/",
                start_new_session=True,  # a Ctrl-C in a terminal is the language server's business
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        self._reading = asyncio.get_running_loop().create_task(self._read(reader, self._process))

    async def _read(self, reader: asyncio.StreamReader, process: asyncio.subprocess.Process) -> None:
        try:
            while True:
                self._take(msgspec.json.decode(await wire.receive(reader), type=wire.FromWorker))
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            await self._died(process, error)

    async def _died(self, process: asyncio.subprocess.Process, error: Exception) -> None:
        code = await _ended(process)
        logger.warning("the worker ended with exit code %s (%s)", code, error)
        self._deaths.append(time.monotonic())
        writer = self._writer
        self._process = self._writer = self._opening = self.told = None
        if writer is not None:
            writer.close()
        self._fail(f"the worker process ended (exit code {code})")

    def _take(self, message: wire.FromWorker) -> None:
        if isinstance(message, wire.Answer):
            self._settle(message.id, lambda future: future.set_result(message.result))
        elif isinstance(message, wire.Refusal):
            refusal = WorkerRefused(message.kind, message.message, message.remedy)
            self._settle(message.id, lambda future: future.set_exception(refusal))
        elif isinstance(message, wire.Cancelled):
            self._settle(message.id, lambda future: future.set_exception(WorkerRefused("gone", "a newer one took its place")))
        else:
            self._tell(message)

    def _tell(self, message: wire.FromWorker) -> None:
        """Hand on an event. A mistake of who hears it must not end the reading, and with it every request."""
        try:
            self._heard(message)
        except Exception:
            logger.exception("an event of the worker was not understood")

    def _settle(self, number: int, settle: Callable[[asyncio.Future[msgspec.Raw]], None]) -> None:
        future = self._pending.pop(number, None)
        if future is not None and not future.done():
            settle(future)

    def _fail(self, reason: str) -> None:
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                future.set_exception(WorkerRefused("infrastructure", reason))

    async def _ask(self, kind: type[T], request: Callable[[int], wire.Request]) -> T:
        writer = self._writer
        if writer is None:
            raise WorkerRefused("infrastructure", "there is no worker process")
        number = next(self._numbers)
        packed = wire.pack(request(number))
        future: asyncio.Future[msgspec.Raw] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_looked_at)  # whoever waits for it may be gone by then
        self._pending[number] = future
        self._used = time.monotonic()
        writer.write(packed)
        try:
            result = await asyncio.shield(future)
        except asyncio.CancelledError:
            await self._cancelled(number, future)
            raise
        finally:
            self._used = time.monotonic()
        return msgspec.json.decode(result, type=kind)

    async def _cancelled(self, number: int, future: asyncio.Future[msgspec.Raw]) -> None:
        """Have a request ended, and wait until it is dead."""
        process = self._process
        if future.done() or self._writer is None:
            return
        self._writer.write(wire.pack(wire.Cancel(request=number)))
        done, _ = await asyncio.wait([future], timeout=BURIAL_SECONDS)
        if not done and process is not None:
            logger.warning("a cancelled request did not end in time: the worker is killed")
            with contextlib.suppress(ProcessLookupError):
                process.kill()


def _looked_at(future: asyncio.Future[msgspec.Raw]) -> None:
    if not future.cancelled():
        future.exception()


async def _ended(process: asyncio.subprocess.Process) -> int | None:
    """Wait for a process whose socket is closed; kill it where it does not end."""
    try:
        return await asyncio.wait_for(process.wait(), BURIAL_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        return await process.wait()
