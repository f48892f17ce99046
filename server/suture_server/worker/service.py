"""The worker's side: one workspace, opened on demand, and a handler for every request.

Handlers run side by side as tasks. `_answered` is the one boundary where errors become refusals; a cancelled request is answered once its
task has ended, and with it every process and every request to the policy that it had.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.errors import AgentFloorError, PolicyError, SettingsError
from suture_sandbox.capture import site_folders
from suture_sandbox.errors import ConfigurationError, PatchError, SandboxFloorError
from suture_server.worker import wire
from suture_server.worker.bench import Bench
from suture_server.worker.keeping import Keeping
from suture_server.worker.opened import OpenedWorkspace, open_here
from suture_server.worker.repairing import Repairing
from suture_server.worker.watch import Watch

logger = logging.getLogger(__name__)

GONE = "the workspace is not open"


async def serve(connection: socket.socket, root: Path) -> None:
    """Answer what comes over the connection until it ends."""
    reader, writer = await asyncio.open_connection(sock=connection, limit=1 << 20)
    service = Service(root, lambda message: writer.write(wire.pack(message)))
    try:
        while True:
            service.take(msgspec.json.decode(await wire.receive(reader), type=wire.ToWorker))
    except (asyncio.IncompleteReadError, ConnectionError):
        logger.info("the language server is gone")
    finally:
        await service.close()
        writer.close()


class Service:
    """What the worker holds."""

    def __init__(self, root: Path, send: Callable[[object], None]) -> None:
        self._root = root
        self._send = send
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._open: OpenedWorkspace | None = None
        self._bench: Bench | None = None
        self._repairing: Repairing | None = None
        self._keeping: Keeping | None = None
        self._watch: Watch | None = None
        self._buffers: dict[str, bytes] = {}
        self._pinned: tuple[str, ...] = ()
        self._handlers: Mapping[type[wire.Request], Callable[[Any], Awaitable[object]]] = {
            wire.Open: self._opened,
            wire.Check: lambda asked: self._of(self._bench).check(asked.generation),
            wire.Repair: lambda asked: self._of(self._repairing).repair(asked),
            wire.Prove: lambda asked: self._of(self._repairing).prove(asked),
            wire.Restore: lambda asked: self._of(self._repairing).restore(),  # noqa: ARG005  # a table of handlers
            wire.Probe: lambda asked: self._of(self._repairing).probe(),  # noqa: ARG005  # a table of handlers
            wire.Correct: lambda asked: self._of(self._repairing).correct(asked),
            wire.Decide: lambda asked: self._of(self._keeping).decide(asked),
            wire.Seen: lambda asked: self._of(self._keeping).seen(asked),
            wire.Survive: lambda asked: self._of(self._keeping).survive(asked),
            wire.Transcript: lambda asked: self._of(self._keeping).transcript(asked),
            wire.Episodes: lambda asked: self._of(self._keeping).episodes(asked),
        }

    def take(self, message: wire.ToWorker) -> None:
        """Begin what a message asks for."""
        if isinstance(message, wire.Buffers):
            self._take_buffers(message)
        elif isinstance(message, wire.Cancel):
            if task := self._tasks.get(message.request):
                task.cancel()
        else:
            task = asyncio.get_running_loop().create_task(self._answered(message))
            self._tasks[message.id] = task
            task.add_done_callback(lambda _done: self._tasks.pop(message.id, None))

    async def close(self) -> None:
        """End everything."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._closed()

    def _of(self, part: Any) -> Any:  # noqa: ANN401  # one of the parts that exist while a workspace is open
        if part is None:
            raise ConfigurationError(GONE, remedy="open it first")
        return part

    async def _answered(self, asked: wire.Request) -> None:
        """Run a handler and answer, exactly once. A failure of suture's own becomes a refusal too: the editor must not wait for ever."""
        try:
            result = await self._handlers[type(asked)](asked)
        except asyncio.CancelledError:
            self._send(wire.Cancelled(id=asked.id))
        except Exception as error:  # noqa: BLE001  # the boundary: nothing may leave a request without its answer
            self._send(_refusal(asked.id, error))
        else:
            self._send(wire.Answer(id=asked.id, result=msgspec.Raw(msgspec.json.encode(result))))

    def _take_buffers(self, message: wire.Buffers) -> None:
        for path, content in message.changed.items():
            if content is None:
                self._buffers.pop(path, None)
            else:
                self._buffers[path] = content
        self._pinned = message.pinned

    async def _opened(self, asked: wire.Open) -> wire.Opened:
        await self._closed()
        opened = await open_here(self._root, asked.overrides, lambda text: self._send(wire.Note(text=text)))
        self._open = opened
        self._bench = Bench(opened.workspace, opened.maps, self._send, lambda: self._buffers)
        self._repairing = Repairing(opened, self._bench, self._send, lambda: self._pinned)
        self._keeping = Keeping(opened)
        loop = asyncio.get_running_loop()

        def told(paths: tuple[str, ...], head: bool, environment: bool) -> None:
            message = wire.Changed(paths=paths, head=head, environment=environment)
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._send, message)

        environment = opened.workspace.sandbox.environment
        packages = () if environment.fields.image else await asyncio.to_thread(site_folders, Path(environment.runtime.python))
        self._watch = Watch(self._root, told, packages)
        await asyncio.to_thread(self._watch.start)
        if self._watch.note:
            self._send(wire.Note(text=self._watch.note))
        return opened.told()

    async def _closed(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            await asyncio.to_thread(watch.stop)
        if self._bench is not None:
            await self._bench.close()
        opened, self._open = self._open, None
        self._bench = self._repairing = self._keeping = None
        if opened is not None:
            await opened.close()


def _refusal(request: int, error: Exception) -> wire.Refusal:
    remedy = error.remedy if isinstance(error, AgentFloorError | SandboxFloorError) else ""
    kind: wire.Refused = "infrastructure"
    if isinstance(error, ConfigurationError | SettingsError | PatchError):
        kind = "configuration"
    elif isinstance(error, PolicyError):
        kind = "policy"
    elif not isinstance(error, AgentFloorError | SandboxFloorError):
        kind = "internal"
        logger.error("a request failed", exc_info=error)
    return wire.Refusal(id=request, kind=kind, message=str(error) or type(error).__name__, remedy=remedy)
