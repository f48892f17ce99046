"""Messages as they come over a stream, and the real server under clients that do not keep to the protocol."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from suture_server.lsp.protocol import SutureProtocol
from suture_server.lsp.server import SutureServer
from suture_server.lsp.transport import LARGEST, LONGEST_HEADER, Garbled, read_messages

SERVER = (sys.executable, "-c", "from suture_server.cli import main; main()", "lsp")
SLOW = "import time\n\n\ndef test_slow():\n    time.sleep(600)\n"


class Taken(SutureProtocol):
    """Keeps what comes, and what is refused."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.refused: list[tuple[Any, int, str]] = []

    def take(self, value: object) -> None:
        self.messages.append(value)

    def refuse(self, identifier: Any, code: Any, text: str) -> None:
        self.refused.append((identifier, code, text))


def framed(value: object, *headers: str, length: str = "Content-Length") -> bytes:
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    lines = [*headers, f"{length}: {len(body)}"]
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body


async def read(*pieces: bytes, limit: int = 1 << 16) -> Taken:
    reader, taken = asyncio.StreamReader(limit=limit), Taken()
    reading = asyncio.ensure_future(read_messages(reader, taken))
    for piece in pieces:
        reader.feed_data(piece)
        await asyncio.sleep(0)
    reader.feed_eof()
    await reading
    return taken


@given(
    values=st.lists(
        st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)), max_size=4
    ),
    cuts=st.lists(st.integers(0, 400), max_size=8),
    unescaped=st.booleans(),
)
def test_messages_come_in_any_pieces(values: list, cuts: list[int], unescaped: bool):
    stream = b"".join(framed(json.dumps(each, ensure_ascii=not unescaped).encode("utf-8", "surrogatepass")) for each in values)
    ends = sorted({min(cut, len(stream)) for cut in cuts})
    pieces = [stream[start:end] for start, end in zip([0, *ends], [*ends, len(stream)], strict=True)]
    taken = asyncio.run(read(*[piece for piece in pieces if piece]))
    assert taken.messages == values
    assert taken.refused == []


@pytest.mark.parametrize("length", ["content-length", "CONTENT-LENGTH", "Content-Length ", "Content-length"])
async def test_headers_are_told_apart_in_any_case(length: str):
    taken = await read(
        framed({"a": 1}, "Content-Type: application/vscode-jsonrpc; charset=utf-8", "X-Other: Content-Length: 9", length=length)
    )
    assert taken.messages == [{"a": 1}]


async def test_lines_may_end_in_a_line_feed_alone():
    assert (await read(b"Content-Length:2\n\n[]")).messages == [[]]


@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff\xfe\xfd", b'{"a": 1} 2', b"[" * 100_000, b"1" * 5000])
async def test_what_is_no_json_is_answered_and_the_next_message_read(body: bytes):
    taken = await read(framed(body), framed([1]))
    assert taken.messages == [[1]]
    ((identifier, code, text),) = taken.refused
    assert (identifier, code) == (None, types.ErrorCodes.ParseError)
    assert "not JSON" in text


@pytest.mark.parametrize(
    "stream",
    [
        b"Content-Length: 300000000\r\n\r\n",
        f"Content-Length: {LARGEST + 1}\r\n\r\n".encode(),
        b"Content-Length: -1\r\n\r\n",
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"Content-Length: x\r\n\r\n",
        b"\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"a" * (1 << 17),
        b"X: y\r\n" * (LONGEST_HEADER // 6 + 1),
        b"Content-Length: 2\r\n" + b"x" * (LONGEST_HEADER + 1) + b"\r\n\r\n{}",
    ],
)
@pytest.mark.parametrize("limit", [1 << 16, 1 << 22])
async def test_what_is_no_sequence_of_messages_is_given_up(stream: bytes, limit: int):
    with pytest.raises(Garbled):
        await read(framed({}), stream + b"\r\n", limit=limit)


@pytest.mark.parametrize("cut", range(1, 24))
async def test_an_end_in_the_middle_is_an_end(cut: int):
    stream = framed({"a": 1})
    assert len(stream) > 24
    assert (await read(framed([]), stream[:cut])).messages == [[]]


@pytest.mark.parametrize("data", [[], [{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}], "text", 1, None, True])
async def test_a_batch_or_no_object_is_refused(data: object):
    assert await answers(data) == [{"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": ANY_TEXT}}]


@pytest.mark.parametrize("version", [None, "1.0", 2, []])
async def test_another_version_is_refused_with_its_id(version: object):
    ((answer),) = await answers({"id": 4, "method": "initialize", "params": {}, "jsonrpc": version})
    assert (answer["id"], answer["error"]["code"]) == (4, -32600)


@pytest.mark.parametrize(
    "data",
    [
        {"method": [], "id": 1},
        {"method": {}, "id": 1, "params": None},
        {"method": 5, "id": 1},
        {"method": "shutdown", "id": []},
        {"method": "shutdown", "id": {}},
        {"method": None, "id": 1},
        {"id": []},
        {"id": {}, "result": 1},
        {"id": None, "error": 5},
        {"id": 1, "error": {"code": "x"}},
        {"method": "x/y"},
        {"method": []},
        {},
    ],
)
async def test_no_message_ends_the_connection(data: dict):
    for begun in (False, True):
        assert len(await answers({"jsonrpc": "2.0", **data}, begun=begun)) <= 1


class _AnyText:
    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and bool(other)

    __hash__ = object.__hash__


ANY_TEXT = _AnyText()


async def answers(data: object, *, begun: bool = False) -> list[dict[str, Any]]:
    """What the protocol of a server without a connection says to one message."""
    written: list[bytes] = []

    class Writer:
        def write(self, raw: bytes) -> None:
            written.append(raw)

    server = SutureServer()
    server.protocol.set_writer(Writer())
    server.protocol._begun = begun
    server.protocol.take(data)
    return [json.loads(each.partition(b"\r\n\r\n")[2]) for each in written]


class Raw:
    """A client that says what it likes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._numbers = iter(range(1, 1000))

    def send(self, value: object) -> None:
        self.process.stdin.write(framed(value))

    def ask(self, method: str, params: object = None, **more: object) -> int:
        number = next(self._numbers)
        self.send({"jsonrpc": "2.0", "id": number, "method": method, "params": params, **more})
        return number

    def tell(self, method: str, params: object = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def answer(self, number: object) -> dict[str, Any]:
        """The next answer, which must be to this request; requests and notifications of the server are passed over."""
        async with asyncio.timeout(20):
            while True:
                header = await self.process.stdout.readuntil(b"\r\n\r\n")
                length = next(int(line.split(b":")[1]) for line in header.lower().splitlines() if line.startswith(b"content-length"))
                found = json.loads(await self.process.stdout.readexactly(length))
                if "method" not in found:
                    assert found["id"] == number
                    return found

    async def asked(self, method: str, params: object = None, **more: object) -> Any:
        found = await self.answer(self.ask(method, params, **more))
        return found["error"]["code"] if "error" in found else found["result"]

    async def initialize(self, root: Path | None = None) -> None:
        folders = [{"uri": root.as_uri(), "name": "r"}] if root is not None else []
        given_params = {"capabilities": {}, "processId": os.getpid(), "rootUri": None, "workspaceFolders": folders}
        assert (await self.asked("initialize", given_params))["serverInfo"]["name"] == "suture"
        self.tell("initialized", {})

    async def left(self) -> int:
        """Its exit code; nothing that it started may be there any more."""
        async with asyncio.timeout(20):
            return await self.process.wait()


Start = Callable[[], Awaitable[Raw]]


@pytest.fixture
async def start(home: dict[str, str], tmp_path: Path) -> AsyncIterator[Start]:
    running: list[Raw] = []

    async def begin() -> Raw:
        log = (tmp_path / f"log-{len(running)}").open("wb")
        with log:
            process = await asyncio.create_subprocess_exec(
                *SERVER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=home, limit=1 << 24
            )
        running.append(Raw(process))
        return running[-1]

    yield begin
    for each in running:
        each.process.stdin.close()
        await each.left()
    for number in range(len(running)):
        log = (tmp_path / f"log-{number}").read_text()
        assert "Task exception was never retrieved" not in log
        assert "Task was destroyed" not in log


async def test_requests_before_initialize_are_refused(start: Start):
    it = await start()
    assert await it.asked("textDocument/hover", {}) == -32002
    assert await it.asked("shutdown") == -32002
    it.tell("textDocument/didOpen", {"nonsense": 1})
    it.tell("initialized", {})
    assert await it.asked("initialize", {"nonsense": 1}) == -32602
    await it.initialize()
    assert await it.asked("initialize", {"capabilities": {}}) == -32600
    assert await it.asked("suture/nothing") == -32601


async def test_what_cannot_be_understood_is_answered_where_there_is_an_answer(start: Start):
    it = await start()
    await it.initialize()
    assert await it.asked("textDocument/codeAction", {"textDocument": 5}) == -32602
    assert await it.asked("textDocument/codeAction") == -32602
    assert await it.asked("workspace/executeCommand", {"command": "suture.nothing"}) == -32602
    assert await it.asked("workspace/executeCommand", {"command": "suture.offers", "arguments": ["a"]}) == -32602
    assert await it.asked("workspace/executeCommand", {"command": "suture.diff", "arguments": [{"offer": 5}]}) == -32602
    assert await it.asked("workspace/executeCommand", {"command": "suture.diff", "arguments": [{"offer": "x"}]}) == -32602
    assert await it.asked("textDocument/unheardOf", {"a": 1}) == -32601
    it.send({"jsonrpc": "2.0", "id": "text", "method": "suture/unheardOf"})
    assert (await it.answer("text"))["error"]["code"] == -32601
    it.tell("suture/unheardOf", {"a": 1})
    it.tell("$/unheardOf")
    it.tell("textDocument/didOpen", {"textDocument": None})
    it.tell("textDocument/didChange", {"textDocument": {"uri": "file:///never.py", "version": 2}, "contentChanges": [{"text": "a"}]})
    it.tell("notebookDocument/didChange", {"notebookDocument": {"uri": "file:///n.ipynb", "version": 2}, "change": {}})
    it.tell("$/cancelRequest", {"id": 777})
    it.tell("$/cancelRequest", {})
    it.tell("$/setTrace", {"value": "verbose"})
    it.send({"jsonrpc": "2.0", "id": 5, "result": None})
    it.send({"jsonrpc": "2.0", "id": "unknown", "error": {"code": 1, "message": "no"}})
    it.send({"jsonrpc": "2.0", "id": None, "result": {}})
    assert await it.asked("workspace/executeCommand", {"command": "suture.offers"}) == []
    it.send(b"{")
    assert (await it.answer(None))["error"]["code"] == -32700
    it.send([])
    assert (await it.answer(None))["error"]["code"] == -32600
    assert await it.asked("workspace/executeCommand", {"command": "suture.offers", "arguments": [{}]}) == []


async def test_shutdown_then_exit_is_an_orderly_end(start: Start):
    it = await start()
    await it.initialize()
    assert await it.asked("shutdown") is None
    assert await it.asked("workspace/executeCommand", {"command": "suture.offers"}) == -32600
    assert await it.asked("shutdown") == -32600
    assert await it.asked("initialize", {"capabilities": {}}) == -32600
    it.tell("textDocument/didOpen", {"nonsense": 1})
    it.tell("exit")
    assert await it.left() == 0


async def test_exit_that_does_not_wait_for_the_answer_to_shutdown_is_orderly_too(start: Start, cart: Path):
    it = await start()
    (cart / "test_slow.py").write_text(SLOW)
    await it.initialize(cart)
    children = await checking(it)
    it.ask("shutdown")
    it.tell("exit")
    assert await it.left() == 0
    await dead(children)


@pytest.mark.parametrize("begun", [True, False])
async def test_exit_alone_is_an_error(start: Start, begun: bool):
    it = await start()
    if begun:
        await it.initialize()
    it.tell("exit")
    assert await it.left() == 1


@pytest.mark.parametrize("end", ["eof", "garbled", "exit", "term"])
async def test_nothing_is_left_of_a_client_that_is_gone(start: Start, cart: Path, end: str):
    it = await start()
    (cart / "test_slow.py").write_text(SLOW)
    await it.initialize(cart)
    children = await checking(it)
    match end:
        case "eof":
            it.process.stdin.close()
        case "garbled":
            it.process.stdin.write(b"\r\n\r\n")
        case "exit":
            it.tell("exit")
        case "term":
            it.process.terminate()
    assert await it.left() == 1
    await dead(children)


async def test_a_cancelled_check_is_dead_when_it_is_answered(start: Start, cart: Path):
    it = await start()
    (cart / "test_slow.py").write_text(SLOW)
    await it.initialize(cart)
    number = it.ask("workspace/executeCommand", {"command": "suture.check", "arguments": [{}]})
    children = await sleeping(it)
    it.send({"jsonrpc": "2.0", "id": number, "result": "an answer to one's own request"})
    it.tell("$/cancelRequest", {"id": number})
    assert (await it.answer(number))["error"]["code"] == -32800
    attempt = [each for each in children if name(each) == "bwrap" or "-m pytest" in command(each)]
    assert [command(each) for each in attempt if alive(each)] == []
    assert await it.asked("workspace/executeCommand", {"command": "suture.offers"}) == []


async def checking(it: Raw) -> list[psutil.Process]:
    it.ask("workspace/executeCommand", {"command": "suture.check", "arguments": [{}]})
    return await sleeping(it)


async def sleeping(it: Raw) -> list[psutil.Process]:
    """The processes of the server once the slow test runs."""
    async with asyncio.timeout(30):
        while True:  # what other processes do tells no event
            children = psutil.Process(it.process.pid).children(recursive=True)
            if sum("bwrap" in name(each) for each in children) and any("-m pytest" in command(each) for each in children):
                await asyncio.sleep(0.3)
                return psutil.Process(it.process.pid).children(recursive=True)
            await asyncio.sleep(0.05)


def name(process: psutil.Process) -> str:
    try:
        return process.name()
    except psutil.NoSuchProcess:
        return ""


def command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def dead(processes: list[psutil.Process]) -> None:
    assert len(processes) > 1
    _, left = await asyncio.to_thread(psutil.wait_procs, processes, timeout=10)
    assert [command(each) for each in left if alive(each)] == []


def test_a_server_without_an_editor_ends_at_once():
    done = subprocess.run([*SERVER], stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, b"")
