"""One attempt as the host sees it: ask, take what comes, and know that it is over.

The agent keeps the limits. What is here beside it is a backstop: where it does not answer in time, the container is removed.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import get_args

import msgspec

from suture_sandbox.backend import Command, Completed, Ended
from suture_sandbox.docker.connection import Connection
from suture_sandbox.docker.order import COPIED_FILES, COPIED_MIB, Order
from suture_sandbox.environment import Environment
from suture_sandbox.errors import BackendUnavailable, InfrastructureError, SandboxFailed
from suture_sandbox.local import keep
from suture_sandbox.local.limits import ENDED_BY_SIGNAL
from suture_sandbox.local.output import Output
from suture_sandbox.snapshot import Snapshot

BURIAL_SECONDS = 20.0
"""How long an attempt may take to end once it was told to."""
GRACE_SECONDS = 30.0
"""How long the agent may keep silent after the time at which it should have ended the command."""

_READABLE = (
    "strict mode runs root's own workspaces as nobody in particular, who must be able to read them: chmod -R o+rX, "
    'run suture as an ordinary user, or set docker_mode = "fast"'
)
_ENDED = frozenset(get_args(Ended))
_STRICT = 'set docker_mode = "strict" under [sandbox] of your own configuration, which needs no namespaces, or use the local backend'


class Told(msgspec.Struct, frozen=True):
    """The agent's last word on an attempt."""

    ended: str | None = None
    status: int | None = None
    cpu: int = 0
    problem: str = ""
    says: str = ""


class Attempt:
    """One attempt in one container that is this attempt's alone until it is over."""

    def __init__(self, connection: Connection, order: Order, environment: Environment) -> None:
        limit = environment.limits.output_mib << 20
        self._connection = connection
        self._order = order
        self._streams = {b"O": Output(limit), b"E": Output(limit)}
        self._parts: dict[bytes, bytes] = {}
        self._told = Told()

    async def run(self, destroy: Callable[[], Awaitable[None]]) -> None:
        """Run it to its end; whatever leaves this method, no process of the attempt is left.

        `destroy` removes the container, with all that is in it. Raises SandboxFailed where the container is lost.
        """
        work = asyncio.create_task(self._work())
        try:
            await asyncio.wait_for(asyncio.shield(work), self._order.seconds + GRACE_SECONDS)
        except BaseException as error:
            if not work.done():
                await _whatever_happens(self._end(work, destroy))
            if isinstance(error, TimeoutError):
                raise SandboxFailed("the agent in the container did not answer") from error
            if isinstance(error, EOFError | OSError):
                raise SandboxFailed("the container ended while it ran a command") from error
            raise

    async def _work(self) -> None:
        await self._connection.ask(self._order)
        while True:
            letter, content = await self._connection.receive()
            if letter in self._streams:
                self._streams[letter].add(content)
            elif letter == b"D":
                self._told = msgspec.json.decode(content, type=Told)
            elif letter == b"X":
                return
            else:
                self._parts[letter] = content

    async def _end(self, work: asyncio.Task[None], destroy: Callable[[], Awaitable[None]]) -> None:
        """Have the attempt end, and know that it did: by the agent's word, else by removing the container."""
        self._connection.kill()
        await asyncio.wait([work], timeout=BURIAL_SECONDS)
        if not work.done() or work.exception() is not None:
            work.cancel()
            await destroy()

    def completed(self, command: Command, snapshot: Snapshot, environment: Environment, seconds: float) -> Completed:
        """What became of it; raises where the sandbox failed."""
        if self._told.problem:
            raise _failure(self._told, strict=self._order.request.strict)
        ended, code = _outcome(self._told)
        changes: dict[str, bytes | None] = {}
        whole = True
        if command.keep:
            changes, whole = keep.read_changes(self._parts.get(b"C", b""), snapshot, environment.excluded)
        out, err = self._streams[b"O"], self._streams[b"E"]
        return Completed(
            ended=ended,
            exit_code=code,
            stdout=out.content(),
            stderr=err.content(),
            report=self._parts.get(b"P", b""),
            changes=changes,
            kept_all=whole,
            seconds=seconds,
            cpu_seconds=self._told.cpu / 1e6,
            overflow=out.cut or err.cut,
            warm=bool(self._order.request.module),
        )

    @property
    def scouted(self) -> bytes:
        """What a scout has told of the modules that were loaded, as it was written by whatever ran."""
        return self._parts.get(b"S", b"")


def _outcome(told: Told) -> tuple[Ended, int | None]:
    if told.ended is not None:
        if told.ended not in _ENDED:
            raise SandboxFailed(f"the command was {told.ended}")
        return msgspec.convert(told.ended, Ended), None
    if told.status is None:
        raise SandboxFailed("the agent in the container said nothing of the command")
    code = os.waitstatus_to_exitcode(told.status)
    number = -code if code < 0 else code - 128 if 128 < code <= 128 + signal.NSIG else 0  # as shells tell of a signal
    if not number:
        return "exited", code
    limit = ENDED_BY_SIGNAL.get(number)
    return ("signalled", -number) if limit is None else (limit, None)


def _failure(told: Told, *, strict: bool) -> InfrastructureError:
    if told.problem == "large":
        most = f"more than {COPIED_FILES} files or {COPIED_MIB} MiB"
        return SandboxFailed(
            f"the workspace has {most}, which strict mode does not copy", remedy='use docker_mode = "fast", or the local backend'
        )
    if told.problem == "full":
        return SandboxFailed("the edits do not fit into what an attempt may write", remedy="raise sandbox.disk_mib")
    if strict:
        return SandboxFailed(f"the workspace could not be laid in the container: {told.says}", remedy=_READABLE)
    if told.problem == "setup":
        return no_attempts(told.says)
    return SandboxFailed(f"the agent in the container failed: {told.says}")


def no_attempts(why: str) -> BackendUnavailable:
    """What to raise where a container can make no attempts."""
    return BackendUnavailable(f"a container of this daemon's cannot make an attempt of its own: {why}", remedy=_STRICT)


async def _whatever_happens(work: Awaitable[None]) -> None:
    """Wait for `work`, however often the waiting is cancelled."""
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            continue
    task.result()
