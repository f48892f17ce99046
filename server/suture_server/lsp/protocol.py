"""pygls's protocol with what it leaves to its users: one answer to every request, in every state, and a clean end.

Text synchronisation is taken over (`documents` says why). Requests before `initialize` or after `shutdown` are refused, messages that make
no sense are answered where they can be, and commands are coroutines, so that cancelling a request cancels its work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.protocol.json_rpc import RPCMessage

logger = logging.getLogger(__name__)

T = TypeVar("T")

Command = Callable[[dict[str, Any]], Awaitable[Any]]
_UNFINISHED = "the server is not initialized"
_OVER = "the server is shutting down"

OURS = frozenset(
    {
        types.TEXT_DOCUMENT_DID_OPEN,
        types.TEXT_DOCUMENT_DID_CHANGE,
        types.TEXT_DOCUMENT_DID_CLOSE,
        types.NOTEBOOK_DOCUMENT_DID_OPEN,
        types.NOTEBOOK_DOCUMENT_DID_CHANGE,
        types.NOTEBOOK_DOCUMENT_DID_CLOSE,
        types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
        types.WINDOW_WORK_DONE_PROGRESS_CANCEL,
    }
)
"""What pygls would take for itself first goes to our own answer alone, or to nobody."""


class SutureProtocol(LanguageServerProtocol):
    """The protocol of `suture lsp`."""

    commands: dict[str, Command]
    """Name -> what it does with its one argument; set by the server."""
    over: Callable[[int], None]
    """Called at the end with the exit code; set by the server."""
    _begun = False
    _ending = False

    def take(self, value: object) -> None:
        """Handle one message as it came; what is no message is answered or left, as JSON-RPC asks."""
        data = json_object(value)
        if not isinstance(value, dict):
            self.refuse(None, types.ErrorCodes.InvalidRequest, "a message must be an object; batches are not part of LSP")
            return
        if data.get("jsonrpc") != self.VERSION:
            self.refuse(data.get("id"), types.ErrorCodes.InvalidRequest, "jsonrpc must be 2.0")
            return
        refusal = self._refusal(data)
        if refusal is not None:
            if "id" in data and "method" in data:
                self.refuse(data["id"], *refusal)
            return
        if "method" in data and str(data["method"]) not in types.METHOD_TO_TYPES:
            data.setdefault("params", None)  # pygls does not understand a message of its own kind that has none
        try:
            message = self.structure_message(data)
        except JsonRpcException as error:
            if "id" in data and "method" in data:
                self.refuse(data["id"], types.ErrorCodes.InvalidParams, f"{data['method']}: the parameters cannot be understood: {error}")
            return
        self._begun |= data.get("method") == types.INITIALIZE
        self._ending |= data.get("method") == types.SHUTDOWN
        self.handle_message(cast("RPCMessage", message))

    def refuse(self, identifier: Any, code: types.ErrorCodes | types.LSPErrorCodes, text: str) -> None:  # noqa: ANN401  # a string, a number, null
        """Answer a request with an error; pygls would leave out an `id` of null, which says that it is not known which request it was."""
        error = {"code": int(code), "message": text}
        self._send_data({"jsonrpc": self.VERSION, "id": identifier, "error": error})

    def _refusal(self, data: dict[str, Any]) -> tuple[types.ErrorCodes, str] | None:
        """Why a message cannot be taken in the present state."""
        method = data.get("method")
        if method is None or method == types.EXIT:
            return None
        if self._ending:
            return types.ErrorCodes.InvalidRequest, _OVER
        if method == types.INITIALIZE:
            return (types.ErrorCodes.InvalidRequest, "initialize was sent before") if self._begun else None
        return None if self._begun else (types.ErrorCodes.ServerNotInitialized, _UNFINISHED)

    def _get_handler(self, feature_name: str) -> Callable[[Any], Any]:
        """As pygls, without what it does on its own before it comes to ours."""
        return self._own(feature_name) if feature_name in OURS else super()._get_handler(feature_name)

    def _own(self, method: str) -> Callable[[Any], Any]:
        features = cast("dict[str, Callable[[Any], Any]]", self.fm.features)  # pyright: ignore[reportUnknownMemberType]  # a bare dict in pygls
        return features.get(method, _nothing)

    def _handle_response(self, msg_id: Any, result: Any | None = None, error: types.ResponseError | None = None) -> None:  # noqa: ANN401  # as pygls
        """As pygls, but an answer to a request that was given up meanwhile, or to one of the client's own, is no error."""
        future = self._request_futures.get(msg_id) if isinstance(msg_id, str | int) else None
        if not isinstance(msg_id, str | int) or isinstance(future, asyncio.Future):
            return
        if future is not None and future.done():
            self._request_futures.pop(msg_id, None)
            return
        super()._handle_response(msg_id, result, error)

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Callable[[Any], Any],
        callback: Callable[[Any], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """As pygls, which forgets requests when they are answered, and never forgets a notification that took time."""

        def done(future: Any) -> None:  # noqa: ANN401  # of asyncio, or of a thread
            if self._request_futures.get(msg_id) is future:
                del self._request_futures[msg_id]
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    @lsp_method(types.SHUTDOWN)
    async def lsp_shutdown(self, *_args: object) -> None:  # type: ignore[override]  # pygls has a generator, and calls either
        """End everything, answer what is in work as cancelled, then this."""
        await self._own(types.SHUTDOWN)(None)
        own = self.msg_id
        for identifier, future in list(self._request_futures.items()):
            if identifier != own and not future.done():
                future.cancel()
        self._shutdown = True

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_args: object) -> None:  # type: ignore[override]  # pygls has a generator, and calls either
        """End the process: 0 after `shutdown`, else 1."""
        self.over(0 if self._ending else 1)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]  # pygls has a generator, and calls either
        self, params: types.ExecuteCommandParams
    ) -> Any:  # noqa: ANN401  # any JSON value
        """Run a command with its one argument."""
        command = self.commands.get(params.command)
        if command is None:
            raise JsonRpcInvalidParams(message=f"there is no command {params.command!r}; there are {', '.join(self.commands)}")
        given: object = params.arguments[0] if params.arguments else {}
        argument = json_object(given)
        if not isinstance(given, dict):
            raise JsonRpcInvalidParams(message=f"{params.command} takes one object")
        return await command(argument)

    def structured(self, value: Any, kind: type[T]) -> T:  # noqa: ANN401  # JSON
        """A record of the protocol from JSON. Raises what cattrs raises where it is none."""
        return self._converter.structure(value, kind)

    def agreed_encoding(self) -> str:
        """The position encoding that was agreed upon. A method: pygls looks at every attribute before there is an agreement."""
        agreed = self.workspace.position_encoding
        return str(agreed.value if isinstance(agreed, types.PositionEncodingKind) else agreed)


def json_object(value: object) -> dict[str, Any]:
    """What the client sent as an object; an empty one for any other value."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _nothing(_params: object) -> None:
    """Nobody wants it."""
