"""The language server put together: pygls with our protocol, a session, and a table of what answers what."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import logging
import os
import signal
from collections.abc import Callable, Mapping
from typing import Any, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcMethodNotFound, JsonRpcRequestCancelled
from pygls.lsp.server import LanguageServer

from suture_server import __version__
from suture_server.lsp import actions
from suture_server.lsp.commands import COMMANDS
from suture_server.lsp.features import code_actions, diagnostics, documents, lifecycle, workspace
from suture_server.lsp.protocol import SutureProtocol
from suture_server.lsp.session import Session
from suture_server.lsp.transport import read_messages, standard_streams

logger = logging.getLogger(__name__)

SETTLED_SECONDS = 1
"""After the start; an editor has had its answer to `initialize` by then."""

FEATURES: Mapping[str, tuple[Callable[[Session, Any], Any], Any]] = {
    types.INITIALIZE: (lifecycle.initialize, None),
    types.INITIALIZED: (lifecycle.initialized, None),
    types.SHUTDOWN: (lifecycle.shutdown, None),
    "suture/trust": (lifecycle.trust, None),
    types.TEXT_DOCUMENT_DID_OPEN: (documents.did_open, None),
    types.TEXT_DOCUMENT_DID_CHANGE: (documents.did_change, None),
    types.TEXT_DOCUMENT_DID_SAVE: (documents.did_save, types.SaveOptions(include_text=False)),
    types.TEXT_DOCUMENT_DID_CLOSE: (documents.did_close, None),
    types.NOTEBOOK_DOCUMENT_DID_OPEN: (documents.notebook_did_open, None),
    types.TEXT_DOCUMENT_CODE_ACTION: (
        code_actions.code_action,
        types.CodeActionOptions(code_action_kinds=list(actions.KINDS), resolve_provider=True),
    ),
    types.CODE_ACTION_RESOLVE: (code_actions.resolve, None),
    types.TEXT_DOCUMENT_DIAGNOSTIC: (
        diagnostics.diagnostic,
        types.DiagnosticOptions(identifier="suture", inter_file_dependencies=True, workspace_diagnostics=True),
    ),
    types.WORKSPACE_DIAGNOSTIC: (diagnostics.workspace_diagnostic, None),
    types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS: (workspace.did_change_folders, None),
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: (workspace.did_change_configuration, None),
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: (workspace.did_change_watched_files, None),
    types.WINDOW_WORK_DONE_PROGRESS_CANCEL: (workspace.progress_cancel, None),
}
"""Method -> what answers it, and the options that the client is told."""


class SutureServer(LanguageServer):
    """The server of one connection."""

    protocol: SutureProtocol  # pyright: ignore[reportIncompatibleVariableOverride]  # pygls makes what `protocol_cls` names

    def __init__(self) -> None:
        super().__init__("suture", __version__, protocol_cls=SutureProtocol)  # pyright: ignore[reportUnknownMemberType]  # of pygls
        self.session = Session(self, functools.partial(self.leave, 1))
        self.code = 0
        self.left = False
        """Whether the client said that it leaves."""
        self._over = asyncio.Event()
        self.protocol.over = self.leave
        self.protocol.commands = {name: functools.partial(command, self.session) for name, command in COMMANDS.items()}
        announced = cast("dict[str, Any]", self.protocol.fm.commands)  # pyright: ignore[reportUnknownMemberType]  # a bare dict in pygls
        announced.update(self.protocol.commands)  # some clients run nothing else
        self._register()

    def leave(self, code: int) -> None:
        """End the connection with an exit code."""
        self.code, self.left = code, True
        self._over.set()

    async def serve(self, reader: asyncio.StreamReader, writer: Any) -> int:  # noqa: ANN401  # what has write and close
        """Answer until the client leaves, and end everything that was started; returns the exit code."""
        self.protocol.set_writer(writer)
        self.code = 1  # of a client that goes without a word
        reading = asyncio.create_task(read_messages(reader, self.protocol))
        leaving = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait([reading, leaving], return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and reading.exception() is not None:
                logger.error("the connection is given up: %s", reading.exception())
        finally:
            reading.cancel()
            leaving.cancel()
            await self.session.close()
            with contextlib.suppress(ConnectionError, OSError, TimeoutError):
                await asyncio.wait_for(writer.drain(), 1)
        return self.code

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ANN401  # pygls's signature
        """A mistake of ours or of the client's is a line in the log, not a message over somebody's work."""
        log = logger.info if isinstance(error, JsonRpcMethodNotFound | JsonRpcRequestCancelled) else logger.error
        log("%s: %s", getattr(source, "__name__", source), error)

    def _register(self) -> None:
        for method, (answer, options) in FEATURES.items():
            bound = _bound(answer, self.session)
            self.feature(method, options)(bound)


def _bound(answer: Callable[[Session, Any], Any], session: Session) -> Callable[[Any], Any]:
    """A feature as pygls calls it: a coroutine stays one, so that it can be cancelled."""
    if inspect.iscoroutinefunction(answer):

        async def awaited(params: Any) -> Any:  # noqa: ANN401  # any message
            return await answer(session, params)

        return awaited

    def called(params: Any) -> Any:  # noqa: ANN401  # any message
        return answer(session, params)

    return called


def serve_stdio() -> int:
    """Serve one client over standard input and output; returns the exit code."""
    return asyncio.run(_stdio())


def serve_tcp(host: str, port: int, listening: Callable[[int], None]) -> int:
    """Serve clients over TCP, one after another or side by side, each with a session of its own.

    Ends when a client says `exit` and no other one is connected, or when a signal comes; a connection that breaks ends nothing.
    """
    return asyncio.run(_tcp(host, port, listening))


async def _stdio() -> int:
    server = SutureServer()
    _on_signals(functools.partial(server.leave, 1))
    reader, writer = await standard_streams()
    asyncio.get_running_loop().call_later(SETTLED_SECONDS, _settled)
    return await server.serve(reader, writer)


async def _tcp(host: str, port: int, listening: Callable[[int], None]) -> int:
    over = asyncio.Event()
    _on_signals(over.set)
    _settled()
    serving: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        serving.add(task)
        server = SutureServer()
        server.session.local = False
        try:
            await server.serve(reader, writer)
        except asyncio.CancelledError:
            logger.info("the server ends")
        finally:
            serving.discard(task)
            writer.close()
            if server.left and not serving:
                over.set()

    listener = await asyncio.start_server(connected, host, port, limit=1 << 22)
    listening(listener.sockets[0].getsockname()[1])
    async with listener:
        await over.wait()
        for task in list(serving):
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
    return 0


def _settled() -> None:
    """Collect garbage from now on, but for what the start has made, which stays."""
    gc.freeze()
    gc.enable()


def _on_signals(leave: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, leave)
    if os.environ.get("SUTURE_LSP_DEBUG"):
        loop.set_debug(True)
