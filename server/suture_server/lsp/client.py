"""The client: what it can do, and how it is spoken to. Everything here is a thin line over pygls; state is elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from suture_sandbox.text import Encoding
from suture_server.lsp.documents import ENCODINGS
from suture_server.lsp.protocol import json_object

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)


PROGRESS_SECONDS = 2.0
"""A client that does not say by then that it shows progress is not shown any: the work is not to wait for it."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """`initializationOptions`: what our own editors ask for. Unknown keys are left alone, since other editors send theirs."""

    trusted: bool = True
    """Whether the person trusts the workspace; nothing of it runs before."""
    offers: bool = False
    """Whether `suture/offer` is understood; else offers are shown as messages."""
    status: bool = False
    """Whether `suture/status` is understood."""
    texts: bool = False
    """Whether `suture/text` is understood; else texts are shown as files, or logged."""
    pages: bool = False
    """Whether `suture/text` may have a HTML page too."""
    settings: dict[str, Any] = {}
    """Settings as in suture.toml, nested or dotted."""


class Abilities(msgspec.Struct, frozen=True, kw_only=True):
    """What the client says that it can do, as far as it matters here."""

    encoding: Encoding = "utf-16"
    code_action_literals: bool = False
    """Whether code actions may be more than commands."""
    disabled: bool = False
    resolves_edits: bool = False
    data: bool = False
    llm_tag: bool = False
    document_changes: bool = False
    resource_operations: frozenset[str] = frozenset()
    annotations: bool = False
    failure_handling: str = "abort"
    """What becomes of an edit that fails half-way; clients that do not say are taken for those that leave it so."""
    apply_edit: bool = False
    progress: bool = False
    show_document: bool = False
    related: bool = False
    tags: frozenset[int] = frozenset()
    diagnostic_version: bool = False
    diagnostic_data: bool = False
    pulls: bool = False
    refreshes: bool = False
    configuration: bool = False
    registers_configuration: bool = False
    folders: bool = False


def abilities(given: types.ClientCapabilities, encoding: str) -> Abilities:
    """The client's capabilities, flat."""
    text = given.text_document or types.TextDocumentClientCapabilities()
    workspace = given.workspace or types.WorkspaceClientCapabilities()
    window = given.window or types.WindowClientCapabilities()
    action = text.code_action or types.CodeActionClientCapabilities()
    publish = text.publish_diagnostics or types.PublishDiagnosticsClientCapabilities()
    edit = workspace.workspace_edit or types.WorkspaceEditClientCapabilities()
    resolve = action.resolve_support.properties if action.resolve_support else ()
    tags = publish.tag_support.value_set if publish.tag_support else ()
    llm = action.tag_support.value_set if action.tag_support else ()
    configured = workspace.did_change_configuration
    return Abilities(
        encoding=ENCODINGS.get(encoding, "utf-16"),
        code_action_literals=action.code_action_literal_support is not None,
        disabled=bool(action.disabled_support),
        resolves_edits="edit" in resolve,
        data=bool(action.data_support),
        llm_tag=types.CodeActionTag.LlmGenerated in llm,
        document_changes=bool(edit.document_changes),
        resource_operations=frozenset(str(each.value) for each in edit.resource_operations or ()),
        annotations=edit.change_annotation_support is not None,
        failure_handling=str(edit.failure_handling.value) if edit.failure_handling is not None else "abort",
        apply_edit=bool(workspace.apply_edit),
        progress=bool(window.work_done_progress),
        show_document=bool(window.show_document and window.show_document.support),
        related=bool(publish.related_information),
        tags=frozenset(int(each) for each in tags),
        diagnostic_version=bool(publish.version_support),
        diagnostic_data=bool(publish.data_support),
        pulls=text.diagnostic is not None,
        refreshes=bool(workspace.diagnostics and workspace.diagnostics.refresh_support),
        configuration=bool(workspace.configuration),
        registers_configuration=bool(configured and configured.dynamic_registration),
        folders=bool(workspace.workspace_folders),
    )


class Client:
    """Speaks to the client; what it cannot take is left out."""

    def __init__(self, server: LanguageServer) -> None:
        self._server = server
        self.can = Abilities()
        self.options = Options()

    def log(self, text: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """A line in the client's log."""
        self._server.window_log_message(types.LogMessageParams(type=kind, message=text))

    def show(self, text: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """A message that a person sees."""
        self._server.window_show_message(types.ShowMessageParams(type=kind, message=text))

    async def choose(self, text: str, *choices: str) -> str | None:
        """Ask a person to choose; None when they close the question. A client that cannot ask (Helix) shows what it would have asked."""
        asked = types.ShowMessageRequestParams(
            type=types.MessageType.Info, message=text, actions=[types.MessageActionItem(title=each) for each in choices]
        )
        try:
            answer = await self._server.window_show_message_request_async(asked)
        except JsonRpcException as error:
            logger.info("the client cannot ask: %s", error)
            self.show(text)
            return None
        return answer.title if answer is not None else None

    def publish(self, uri: str, version: int | None, diagnostics: list[types.Diagnostic]) -> None:
        """Push diagnostics."""
        shown = version if self.can.diagnostic_version else None
        self._server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri=uri, version=shown, diagnostics=diagnostics))

    def refresh_diagnostics(self) -> None:
        """Tell a client that pulls to pull again."""
        if self.can.refreshes:
            self._later(self._server.workspace_diagnostic_refresh_async(None))

    async def apply(self, edit: types.WorkspaceEdit, label: str) -> tuple[bool, str]:
        """Have the client apply an edit; whether it did, and why not."""
        if not self.can.apply_edit:
            return False, "this editor cannot apply edits that a server sends"
        answer = await self._asked(self._server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit=edit, label=label)))
        if answer is None:
            return False, "the editor did not answer"
        return bool(answer.applied), answer.failure_reason or ("" if answer.applied else "the editor did not apply it")

    async def open(self, uri: str) -> bool:
        """Have the client show a document."""
        if not self.can.show_document:
            return False
        answer = await self._asked(self._server.window_show_document_async(types.ShowDocumentParams(uri=uri, take_focus=True)))
        return bool(answer is not None and answer.success)

    async def configuration(self) -> dict[str, Any]:
        """The client's settings of the section `suture`."""
        if not self.can.configuration:
            return {}
        asked = types.ConfigurationParams(items=[types.ConfigurationItem(section="suture")])
        answer = await self._asked(self._server.workspace_configuration_async(asked))
        return json_object(answer[0] if answer else None)

    def watch_configuration(self) -> None:
        """Be told of changed settings."""
        if self.can.registers_configuration:
            wanted = types.Registration(id="suture-configuration", method=types.WORKSPACE_DID_CHANGE_CONFIGURATION)
            self._later(self._server.client_register_capability_async(types.RegistrationParams(registrations=[wanted])))

    def notify(self, method: str, params: object) -> None:
        """Send one of the `suture/*` notifications."""
        self._server.protocol.notify(method, msgspec.to_builtins(params))

    async def progress(self, title: str, cancelled: Callable[[], None]) -> Progress:
        """Begin to show progress where the client can."""
        token: str | None = str(uuid.uuid4()) if self.can.progress else None
        if token is not None:
            asked = self._server.window_work_done_progress_create_async(types.WorkDoneProgressCreateParams(token=token))
            try:
                await asyncio.wait_for(asked, PROGRESS_SECONDS)
            except (JsonRpcException, asyncio.InvalidStateError, TimeoutError):
                token = None
        return Progress(self._server, token, title, cancelled)

    async def _asked(self, waiting: Any) -> Any:  # noqa: ANN401  # whatever the client answers
        """The client's answer; None for an error, which is logged."""
        try:
            return await waiting
        except JsonRpcException as error:
            logger.info("the client refused a request: %s", error)
            return None

    def _later(self, waiting: Any) -> None:  # noqa: ANN401  # a coroutine of pygls
        task = asyncio.ensure_future(self._asked(waiting))
        _BACKGROUND.add(task)
        task.add_done_callback(_BACKGROUND.discard)


_BACKGROUND: set[asyncio.Future[Any]] = set()
"""Requests to the client whose answer nobody waits for; asyncio itself holds tasks weakly."""


class Progress:
    """Work-done progress of one job; silent where the client shows none."""

    def __init__(self, server: LanguageServer, token: str | None, title: str, cancelled: Callable[[], None]) -> None:
        self._server = server
        self.token = token
        self._cancelled = cancelled
        self._last = ""
        if token is not None:
            self._send(types.WorkDoneProgressBegin(title=title, cancellable=True))

    def report(self, message: str, percentage: int | None = None) -> None:
        """Say what is going on; the same thing twice is sent once."""
        if self.token is not None and message != self._last:
            self._last = message
            self._send(types.WorkDoneProgressReport(message=message, cancellable=True, percentage=percentage))

    def cancel(self) -> None:
        """The person wants it to end."""
        self._cancelled()

    def end(self, message: str) -> None:
        """It is over; idempotent."""
        token = self.token
        if token is not None:
            self._send(types.WorkDoneProgressEnd(message=message))
            self.token = None

    def _send(self, value: types.WorkDoneProgressBegin | types.WorkDoneProgressReport | types.WorkDoneProgressEnd) -> None:
        assert self.token is not None
        with contextlib.suppress(ConnectionError):
            self._server.progress(types.ProgressParams(token=self.token, value=value))
