"""An editor without a screen: the real server as a subprocess behind pytest-lsp's client, with what real editors say of themselves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest
from editor_tests import TESTS, Recorded, cart, moved, right, script
from lsprotocol import types
from pygls.exceptions import JsonRpcMethodNotFound
from pygls.uris import from_fs_path, to_fs_path

sys.path.append(str(Path(sys.prefix, "apart")))
from pytest_lsp import LanguageClient, make_test_lsp_client  # lies apart, so that no other pytest loads it as a plugin

__all__ = ["cart", "moved", "right", "script"]

QUICK = {"controls": 1, "shaken": 0}
"""What a proof asks beyond its runs is tested elsewhere, and these tests make many proofs."""
CLIENTS = Path(__file__).parent / "clients"
SERVER = (sys.executable, "-c", "from suture_server.cli import main; main()", "lsp")

WRONG = {"text": "    return len(prices) + 4\n", "repeat": 0}


def capabilities_of(name: str) -> types.ClientCapabilities:
    """What an editor said of itself when it was recorded."""
    from pygls.protocol import default_converter

    given = json.loads((CLIENTS / f"{name}.json").read_text())
    return default_converter().structure(given["params"]["capabilities"], types.ClientCapabilities)


class Buffer:
    """A document as the editor has it."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        self.version = 1

    @property
    def uri(self) -> str:
        return from_fs_path(str(self.path))


class Editor(Recorded):
    """Speaks to one server, keeps its own texts, applies edits as an editor does, and remembers what it was told."""

    def __init__(self, client: LanguageClient, root: Path, environ: Mapping[str, str]) -> None:
        self.client = client
        self.root = root
        self.environ = environ
        self.result: types.InitializeResult | None = None
        self.buffers: dict[str, Buffer] = {}
        self.offers: list[dict[str, Any]] = []
        self.status: list[dict[str, Any]] = []
        self.texts: list[dict[str, Any]] = []
        self.answers: list[str | None] = []
        """Titles that are chosen when the server asks, in order; None closes the question, and so does an empty list."""
        self.asked: list[types.ShowMessageRequestParams] = []
        self.registered: list[str] = []
        self.pulling: asyncio.Future[None] | None = None
        self.can_ask = True
        """Whether it knows questions (window/showMessageRequest); Helix 25.01 does not."""
        self.refuses_edits = False
        self.leaves_out: set[str] = set()
        """Files that edits are not applied to, while it says that they were, as Neovim does where a text is newer."""
        self.stops_at = ""
        """A file whose edit fails; those before it stay changed, as eglot and Helix do it."""
        self.applying: asyncio.Event | None = None
        """Edits of the server wait for it; None lets them through."""
        self.asked_to_apply = 0
        self.applied: list[types.WorkspaceEdit] = []
        self._changed = asyncio.Event()
        self._register()

    @property
    def process(self) -> psutil.Process:
        """The server."""
        assert self.client._server is not None
        return psutil.Process(self.client._server.pid)

    def below(self, name: str = "") -> list[psutil.Process]:
        """What runs below the server; with a name only the processes that call themselves so."""
        with contextlib.suppress(psutil.NoSuchProcess):
            return [each for each in self.process.children(recursive=True) if not name or named(each) == name]
        return []

    def workers(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return [each for each in self.process.children() if "suture_server.worker" in commanded(each)]
        return []

    def messages(self, about: str = "") -> list[str]:
        """What a person was shown, but for the notice about the journal."""
        shown = [each.message for each in [*self.client.messages, *self.asked]]
        return [each for each in shown if about in each and "keeps a local journal" not in each]

    def uri(self, name: str) -> str:
        return from_fs_path(str(self.root / name))

    def open(self, name: str, text: str | None = None) -> Buffer:
        path = self.root / name
        buffer = Buffer(path, path.read_bytes().decode() if text is None else text)
        self.buffers[buffer.uri] = buffer
        item = types.TextDocumentItem(uri=buffer.uri, language_id="python", version=1, text=buffer.text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return buffer

    def change(self, buffer: Buffer, old: str, new: str) -> None:
        """Replace the first occurrence of a text, as an incremental change in UTF-16 units."""
        at = buffer.text.index(old)
        start, end = _place(buffer.text, at), _place(buffer.text, at + len(old))
        buffer.text = buffer.text[:at] + new + buffer.text[at + len(old) :]
        self._send(buffer, types.TextDocumentContentChangePartial(range=types.Range(start, end), text=new))

    def replace(self, buffer: Buffer, text: str) -> None:
        buffer.text = text
        self._send(buffer, types.TextDocumentContentChangeWholeDocument(text=text))

    def save(self, buffer: Buffer) -> None:
        buffer.path.write_bytes(buffer.text.encode())
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(buffer.uri)))

    def close(self, buffer: Buffer) -> None:
        del self.buffers[buffer.uri]
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(buffer.uri)))

    def diagnostics(self, name: str) -> list[types.Diagnostic]:
        return list(self.client.diagnostics.get(self.uri(name), ()))

    async def actions(self, buffer: Buffer, line: int, *, only: list[str] | None = None, given: Any = None) -> list[Any]:
        place = types.Position(line, 0)
        shown = self.diagnostics(buffer.path.relative_to(self.root).as_posix()) if given is None else given
        touched = [each for each in shown if each.range.start.line <= line <= each.range.end.line]
        context = types.CodeActionContext(diagnostics=touched, only=only)
        found = await self.client.text_document_code_action_async(
            types.CodeActionParams(types.TextDocumentIdentifier(buffer.uri), types.Range(place, place), context)
        )
        return list(found or [])

    async def command(self, name: str, **argument: Any) -> Any:
        return plain(await self.client.workspace_execute_command_async(types.ExecuteCommandParams(name, [argument])))

    async def choose(self, action: types.CodeAction) -> None:
        """As an editor: resolve, apply the edit, then run the command."""
        if action.edit is None and action.data is not None:
            action = await self.client.code_action_resolve_async(action)
        if action.edit is not None:
            assert self.apply(action.edit)
        if action.command is not None:
            params = types.ExecuteCommandParams(action.command.command, action.command.arguments)
            await self.client.workspace_execute_command_async(params)

    def apply(self, edit: types.WorkspaceEdit) -> bool:
        """Apply an edit to the buffers and the disk as an editor does; refuse all of it where a version is another one."""
        self.applied.append(edit)
        changes = list(edit.document_changes or [])
        versioned = [change.text_document for change in changes if isinstance(change, types.TextDocumentEdit)]
        if any(each.uri in self.buffers and each.version != self.buffers[each.uri].version for each in versioned):
            return False
        for uri, edits in (edit.changes or {}).items():
            changes.append(types.TextDocumentEdit(types.OptionalVersionedTextDocumentIdentifier(uri), edits))
        for change in changes:
            uri = change.text_document.uri if isinstance(change, types.TextDocumentEdit) else change.uri
            if self.stops_at and uri == self.uri(self.stops_at):
                return False
            if uri not in map(self.uri, self.leaves_out):
                self._apply_one(change)
        return True

    async def wait(self, what: Callable[[], Any], seconds: float = 30) -> Any:
        """Wait until something is true of what the server told; returns it."""
        async with asyncio.timeout(seconds):
            while not (found := what()):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.05)
                self._changed.clear()
        return found

    async def failing(self, name: str = "test_cart.py") -> list[types.Diagnostic]:
        return await self.wait(lambda: self.diagnostics(name))

    async def pulled(self, buffer: Buffer) -> list[types.Diagnostic]:
        report = await self.client.text_document_diagnostic_async(types.DocumentDiagnosticParams(types.TextDocumentIdentifier(buffer.uri)))
        self.client.diagnostics[buffer.uri] = report.items
        return list(report.items)

    async def _pull_all(self) -> None:
        for buffer in list(self.buffers.values()):
            await self.pulled(buffer)
        self._changed.set()

    async def offered(self, count: int = 1, state: str = "ready") -> dict[str, Any]:
        def found() -> list[dict[str, Any]]:
            return [each for each in self.offers if each["state"] == state]

        await self.wait(lambda: len(found()) >= count)
        return found()[-1]["offer"]

    @staticmethod
    def read(uri: str) -> str:
        return Path(to_fs_path(uri)).read_text()

    def _apply_one(self, change: Any) -> None:
        if isinstance(change, types.CreateFile):
            path = Path(to_fs_path(change.uri))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        elif isinstance(change, types.DeleteFile):
            Path(to_fs_path(change.uri)).unlink()
        else:
            buffer = self.buffers.get(change.text_document.uri)
            path = Path(to_fs_path(change.text_document.uri))
            text = buffer.text if buffer is not None else path.read_bytes().decode()
            for edit in sorted(change.edits, key=lambda each: (each.range.start.line, each.range.start.character), reverse=True):
                start, end = _offset(text, edit.range.start), _offset(text, edit.range.end)
                text = text[:start] + edit.new_text + text[end:]
            if buffer is None:
                path.write_bytes(text.encode())
            else:
                buffer.text = text
                self._send(buffer, types.TextDocumentContentChangeWholeDocument(text=text))

    def _send(self, buffer: Buffer, change: Any) -> None:
        buffer.version += 1
        named = types.VersionedTextDocumentIdentifier(version=buffer.version, uri=buffer.uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(named, [change]))

    def _register(self) -> None:
        client = self.client

        @client.feature(types.WORKSPACE_DIAGNOSTIC_REFRESH)
        async def refresh(params: None) -> None:
            self.pulling = asyncio.ensure_future(self._pull_all())

        @client.feature("suture/offer")
        def offer(params: Any) -> None:
            self.offers.append(plain(params))
            self._changed.set()

        @client.feature("suture/status")
        def status(params: Any) -> None:
            self.status.append(plain(params))
            self._changed.set()

        @client.feature("suture/text")
        def text(params: Any) -> None:
            self.texts.append(plain(params))
            self._changed.set()

        @client.feature(types.WINDOW_SHOW_MESSAGE_REQUEST)
        async def ask(params: types.ShowMessageRequestParams) -> types.MessageActionItem | None:
            if not self.can_ask:
                raise JsonRpcMethodNotFound.of("window/showMessageRequest")
            self.asked.append(params)
            await asyncio.sleep(0)
            answer = self.answers.pop(0) if self.answers else None
            return types.MessageActionItem(answer) if answer is not None else None

        @client.feature(types.CLIENT_REGISTER_CAPABILITY)
        def register(params: types.RegistrationParams) -> None:
            self.registered += [each.method for each in params.registrations]

        @client.feature(types.WORKSPACE_APPLY_EDIT)
        async def apply(params: types.ApplyWorkspaceEditParams) -> types.ApplyWorkspaceEditResult:
            self.asked_to_apply += 1
            self._changed.set()
            if self.applying is not None:
                await self.applying.wait()
            if self.refuses_edits:
                return types.ApplyWorkspaceEditResult(applied=False, failure_reason="not now")
            return types.ApplyWorkspaceEditResult(applied=self.apply(params.edit))


def named(process: psutil.Process) -> str:
    try:
        return str(process.name())
    except psutil.Error:
        return ""


def commanded(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def runs(pid: int) -> bool:
    try:
        return lives(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def plain(value: Any) -> Any:
    """JSON as it came: pygls makes objects of what it does not know."""
    if hasattr(value, "_asdict"):
        return {key: plain(each) for key, each in value._asdict().items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return {key: plain(each) for key, each in vars(value).items()} if hasattr(value, "__dict__") and not isinstance(value, type) else value


def _action(given: dict[str, Any], converter: Any) -> types.Command | types.CodeAction:
    """lsprotocol takes every action that has a command for a command."""
    return converter.structure(given, types.Command if isinstance(given.get("command"), str) else types.CodeAction)


def _place(text: str, at: int) -> types.Position:
    before = text[:at].replace("\r\n", "\n").replace("\r", "\n")
    line = before.rpartition("\n")[2]
    return types.Position(before.count("\n"), len(line.encode("utf-16-le")) // 2)


def _offset(text: str, place: types.Position) -> int:
    lines = text.splitlines(keepends=True)
    before = "".join(lines[: place.line])
    line = lines[place.line] if place.line < len(lines) else ""
    return len(before) + len(line.encode("utf-16-le")[: 2 * place.character].decode("utf-16-le"))


@pytest.fixture
def home(tmp_path: Path, environ: dict[str, str], cache: Path) -> dict[str, str]:
    """Configuration and data folders of this test alone; the cache of what is known of the interpreter is shared."""
    folders = {name: str(tmp_path / name.lower()) for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")}
    return {**environ, **folders, "XDG_CACHE_HOME": str(cache)}


@pytest.fixture
def wrong(script: Callable[..., str]) -> str:
    """A policy that does not."""
    return script(WRONG)


STUCK = """import ctypes
import os
import signal
import time


def stick():
    ctypes.CDLL(None).prctl(15, b"stuck")
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.fork()
    time.sleep(600)
"""


@pytest.fixture
def stuck(cart: Path, right: str) -> str:
    """A policy whose right patch is proven for ever: the test that it mends calls itself `stuck`, forks, ignores SIGTERM and sleeps."""
    (cart / "stuck.py").write_text(STUCK)
    line = "    assert total([1, 2]) == 3\n"
    (cart / "test_cart.py").write_text(TESTS.replace(line, f'{line}    __import__("stuck").stick()\n'))
    return right


@pytest.fixture
def buried() -> Callable[[Sequence[psutil.Process]], Awaitable[float]]:
    """Wait until processes are dead; the seconds that it took. Fails after five."""

    async def wait(processes: Sequence[psutil.Process]) -> float:
        began = time.monotonic()
        while left := [each for each in processes if lives(each)]:
            assert time.monotonic() - began < 5, [commanded(each) for each in left]
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    return wait


Start = Callable[..., Awaitable[Editor]]


@pytest.fixture
async def editor(home: dict[str, str]) -> AsyncIterator[Start]:
    """Start an editor on a workspace; all of them are shut down at the end, and must leave with exit code 0."""
    running: list[Editor] = []

    async def start(
        root: Path | None,
        *,
        policy: str = "",
        client: str = "vscode",
        offers: bool = True,
        folders: list[Path] | None = None,
        settings: dict[str, Any] | None = None,
        shape: Callable[[types.ClientCapabilities], None] = lambda _given: None,
        through: Sequence[str] = (),
        process_id: int | None = None,
        prelude: str = "",
        **options: Any,
    ) -> Editor:
        speaker = make_test_lsp_client()
        del speaker.protocol.fm.features[types.WORKSPACE_DIAGNOSTIC_REFRESH]
        converter = speaker.protocol._converter
        converter.register_structure_hook(types.Command | types.CodeAction, lambda given, _: _action(given, converter))
        base = root or Path("/nowhere")
        made = Editor(speaker, base, home)
        python, flag, code, *rest = SERVER
        await speaker.start_io(*through, python, flag, f"{prelude}\n{code}", *rest, env=home)
        running.append(made)
        capabilities = capabilities_of(client)
        shape(capabilities)
        given = {"editor": {"delay_ms": 50}, "verdict": QUICK, **({"policy": {"spec": policy}} if policy else {}), **(settings or {})}
        params = types.InitializeParams(
            process_id=process_id,
            capabilities=capabilities,
            root_uri=from_fs_path(str(root)) if root is not None else None,
            workspace_folders=[types.WorkspaceFolder(from_fs_path(str(each)), each.name) for each in folders or ([root] if root else [])],
            initialization_options={"offers": offers, "status": True, "settings": given, **options},
        )
        made.result = await speaker.initialize_session(params)
        return made

    yield start
    for each in running:
        await _leave(each)


async def _leave(editor: Editor) -> None:
    process = editor.client._server
    if process is not None and process.returncode is None and runs(process.pid):  # a dead one may not have been waited for yet
        async with asyncio.timeout(20):
            await editor.client.shutdown_session()
        assert process.returncode == 0
    await editor.client.stop()
