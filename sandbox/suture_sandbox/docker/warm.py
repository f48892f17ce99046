"""Starting a container until its agent has said hello, and removing it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket

from suture_sandbox.docker.attempt import no_attempts
from suture_sandbox.docker.connection import Connection, Hello
from suture_sandbox.docker.container import Wanted, configuration
from suture_sandbox.docker.daemon import Daemon, Facts
from suture_sandbox.docker.folder import Folder
from suture_sandbox.docker.inside.request import INSIDE
from suture_sandbox.errors import InfrastructureError, SandboxFailed

_log = logging.getLogger(__name__)

MAKE_ROOM = "make room there, or name another folder for temporary files: TMPDIR"

_START_SECONDS = 60.0
_LOOK_SECONDS = 0.5


class Warm:
    """A container that runs, with its agent waiting."""

    names: frozenset[str] = frozenset()
    """Top-level names of what its zygote has loaded."""

    def __init__(self, want: Wanted, container: str, connection: Connection, hello: Hello, daemon: Daemon) -> None:
        self.want = want
        self.connection = connection
        self.hello = hello
        self._container = container
        self._daemon = daemon
        self._removed = False

    @property
    def usable(self) -> bool:
        """Whether another attempt can run in it."""
        return not self._removed and self.connection.idle

    async def remove(self) -> None:
        """End it, with everything in it; idempotent. Returns when nothing of it runs any more.

        Where the daemon does not answer, the agent ends it all the same, since it loses its socket; what is left is swept at the end.
        """
        if not self._removed:
            self._removed = True
            await self.connection.close()
            try:
                await asyncio.to_thread(self._daemon.remove, self._container)
            except InfrastructureError as error:
                _log.warning("a container could not be removed: %s", error)


async def start(want: Wanted, daemon: Daemon, facts: Facts, folder: Folder, runtime: str) -> Warm:
    """Start a container. Cancelling does not end it half-way: it is removed when it has been started."""
    work = asyncio.create_task(_start(want, daemon, facts, folder, runtime))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):  # it failed, so that nothing is left of it; the cancellation is what goes on
            await (await work).remove()
        raise


async def _start(want: Wanted, daemon: Daemon, facts: Facts, folder: Folder, runtime: str) -> Warm:
    try:
        place, listener = await asyncio.to_thread(folder.place, want.user if want.strict else (INSIDE, INSIDE))
    except OSError as error:
        raise SandboxFailed(f"{folder.path} cannot be written to: {error.strerror}", remedy=MAKE_ROOM) from error
    with listener:
        container = await asyncio.to_thread(daemon.create, configuration(want, facts, place, runtime))
        try:
            await asyncio.to_thread(daemon.start, container)
            connection = await _accept(listener, daemon, container)
            (place / "socket").unlink()  # nobody else is to connect, least of all a command
            hello = await connection.hello()
            if hello.problem:
                await connection.close()
                raise no_attempts(hello.problem)
            return Warm(want, container, connection, hello, daemon)
        except BaseException as error:
            await asyncio.shield(asyncio.to_thread(daemon.remove, container))
            if isinstance(error, EOFError | OSError | TimeoutError):
                raise _silent(want) from error
            raise


async def _accept(listener: socket.socket, daemon: Daemon, container: str) -> Connection:
    """The agent's connection; raises SandboxFailed where the container ends before."""
    loop = asyncio.get_running_loop()
    accepting = asyncio.create_task(loop.sock_accept(listener))
    try:
        async with asyncio.timeout(_START_SECONDS):
            while not accepting.done():
                await asyncio.wait([accepting], timeout=_LOOK_SECONDS)
                if not accepting.done() and not await asyncio.to_thread(daemon.exists, container):
                    raise EOFError
        connected, _ = accepting.result()
        connected.setblocking(False)
        return Connection(*await asyncio.open_unix_connection(sock=connected))
    finally:
        accepting.cancel()


def _silent(want: Wanted) -> SandboxFailed:
    return SandboxFailed(
        f"suture's agent did not start in the image {want.image[:19]}: {want.python} must be Python 3.8 or newer, and the user "
        f"{want.user[0]} must be able to run it",
        remedy="adopt an image that has the environment's interpreter: suture env lock --backend docker --image REFERENCE",
    )
