"""A small, fast LSP client for the benches: one server process, over stdio or TCP, spoken to in plain JSON.

It counts what every request came to: `unanswered`, `answered_twice` and `strange` say whether each got exactly one answer. Requests of the
server are answered as an editor would; `on` replaces or adds answers, `heard` takes notifications. It deliberately knows no types of the
protocol (what is looked at is what a server sends, not what a library makes of it), and keeps no documents: `lsp_documents` does.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

Handler = Callable[[Any], Any]
LIMIT = 64 << 20
PATIENCE = 60.0
"""Seconds until a request counts as hanging."""


class LspError(Exception):
    """The server answered with an error."""

    def __init__(self, method: str, code: int, message: str) -> None:
        super().__init__(f"{method}: {code} {message}")
        self.code = code


class ServerGone(Exception):
    """The server ended or closed the connection while something was asked of it."""


class Client:
    """One connection to one server; made by `spawn`."""

    def __init__(self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.process = process
        self.on: dict[str, Handler] = dict(EDITOR)
        """Method of a server's request -> its answer."""
        self.heard: dict[str, list[Handler]] = defaultdict(list)
        """Method of a notification -> who wants it."""
        self.notified = Counter[str]()
        self.asked = Counter[str]()
        """Requests of the server, by method."""
        self.answers = Counter[int]()
        """Request -> how often it was answered."""
        self.strange = list[Any]()
        """Messages that answer nothing that was asked."""
        self.working = dict[int | str, str]()
        """Progress that has begun and not ended: token -> title."""
        self.capabilities: dict[str, Any] = {}
        """What the server offers, registered later or from the start."""
        self._numbers = itertools.count(1)
        self._methods = dict[int, str]()
        self._pending = dict[int, asyncio.Future[Any]]()
        self._reader, self._writer = reader, writer
        self.heard["$/progress"].append(self._progress)
        self.on["client/registerCapability"] = self._registered
        self._listening = asyncio.create_task(self._listen())

    @property
    def requests(self) -> int:
        """How many were sent."""
        return len(self._methods)

    @property
    def unanswered(self) -> dict[int, str]:
        """Requests without an answer."""
        return {number: method for number, method in self._methods.items() if not self.answers[number]}

    @property
    def answered_twice(self) -> dict[int, str]:
        """Requests with more than one."""
        return {number: self._methods[number] for number, count in self.answers.items() if count > 1}

    def notify(self, method: str, params: Any = None) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any = None) -> tuple[int, asyncio.Future[Any]]:
        """Send a request: its id, and what becomes of it."""
        number = next(self._numbers)
        future = self._pending[number] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody has to wait for every answer
        command = params.get("command") if method == "workspace/executeCommand" else None
        self._methods[number] = command or method
        if self._listening.done():
            future.set_exception(ServerGone(method))
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return number, future

    async def call(self, method: str, params: Any = None, *, seconds: float = PATIENCE) -> Any:
        """Send a request and wait for its result. Raises LspError, ServerGone or TimeoutError."""
        return await asyncio.wait_for(self.ask(method, params)[1], seconds)

    async def command(self, name: str, argument: Mapping[str, Any], *, seconds: float = PATIENCE) -> Any:
        """`workspace/executeCommand` with one object."""
        return await self.call("workspace/executeCommand", {"command": name, "arguments": [argument]}, seconds=seconds)

    async def ping(self) -> None:
        """Wait until everything sent before was handled: a request that no server knows, which all refuse at once."""
        with contextlib.suppress(LspError):
            await self.call("bench/ping")

    def cancel(self, number: int) -> None:
        """Take a request back; the server still owes an answer."""
        self.notify("$/cancelRequest", {"id": number})

    async def initialize(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """The opening of a connection, `initialized` included."""
        result: dict[str, Any] = await self.call("initialize", params)
        self.capabilities = result["capabilities"]
        self.notify("initialized", {})
        return result

    async def stop(self, seconds: float = 10.0) -> int:
        """`shutdown` and `exit`; the exit code. A server that does not end is killed, and that is a negative code."""
        with contextlib.suppress(LspError, ServerGone, TimeoutError, ConnectionError):
            await self.call("shutdown", seconds=seconds)
            self.notify("exit")
        try:
            code = await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            self.process.kill()
            code = await self.process.wait()
        self._writer.close()
        self._listening.cancel()
        await asyncio.gather(self._listening, return_exceptions=True)
        return code

    def _send(self, message: Any) -> None:
        body = msgspec.json.encode(message)
        self._writer.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _listen(self) -> None:
        try:
            while True:
                head = await self._reader.readuntil(b"\r\n\r\n")
                fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n") if line)
                self._take(msgspec.json.decode(await self._reader.readexactly(int(fields[b"content-length"]))))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            for number, future in self._pending.items():
                if not future.done():
                    future.set_exception(ServerGone(self._methods[number]))

    def _take(self, message: Any) -> None:
        if "method" not in message:
            self._answered(message)
        elif "id" in message:
            self._answer(message)
        else:
            self.notified[message["method"]] += 1
            for handler in self.heard.get(message["method"], ()):
                handler(message.get("params"))

    def _answered(self, message: Any) -> None:
        number = message.get("id")
        if number not in self._methods or ("result" in message) == ("error" in message):
            self.strange.append(message)
            return
        self.answers[number] += 1
        future = self._pending.pop(number, None)
        if future is None or future.done():
            return
        if (error := message.get("error")) is not None:
            future.set_exception(LspError(self._methods[number], error["code"], error["message"]))
        else:
            future.set_result(message["result"])

    def _answer(self, message: Any) -> None:
        method = message["method"]
        self.asked[method] += 1
        if method in self.on:
            said = {"result": self.on[method](message.get("params"))}
        else:
            said = {"error": {"code": -32601, "message": f"{method} is unknown here"}}
        self._send({"jsonrpc": "2.0", "id": message["id"], **said})

    def _registered(self, params: Any) -> None:
        for each in params["registrations"]:
            if each["method"] == "textDocument/diagnostic":
                self.capabilities["diagnosticProvider"] = each.get("registerOptions") or {}

    def _progress(self, params: Any) -> None:
        value = params["value"]
        if isinstance(value, dict) and value.get("kind") == "begin":
            self.working[params["token"]] = value["title"]
        elif isinstance(value, dict) and value.get("kind") == "end":
            self.working.pop(params["token"], None)


EDITOR: Mapping[str, Handler] = {
    "client/registerCapability": lambda _: None,
    "client/unregisterCapability": lambda _: None,
    "window/showDocument": lambda _: {"success": True},
    "window/showMessageRequest": lambda _: None,
    "window/workDoneProgress/create": lambda _: None,
    "workspace/applyEdit": lambda _: {"applied": False, "failureReason": "this client edits nothing"},
    "workspace/codeLens/refresh": lambda _: None,
    "workspace/configuration": lambda params: [None for _ in params["items"]],
    "workspace/diagnostic/refresh": lambda _: None,
    "workspace/inlayHint/refresh": lambda _: None,
    "workspace/semanticTokens/refresh": lambda _: None,
    "workspace/workspaceFolders": lambda _: None,
}
"""What an editor without settings answers."""


async def spawn(
    command: Sequence[str], *, environ: Mapping[str, str], folder: Path, errors: Path | None = None, tcp: bool = False
) -> Client:
    """Start a server and connect to it; with `tcp`, `--tcp 127.0.0.1:PORT` is added to its command. `errors` takes its stderr."""
    port = _free_port() if tcp else 0
    said = errors.open("ab") if errors is not None else contextlib.nullcontext(subprocess.DEVNULL)
    with said as stderr:
        process = await asyncio.create_subprocess_exec(
            *command,
            *(("--tcp", f"127.0.0.1:{port}") if tcp else ()),
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.DEVNULL if tcp else subprocess.PIPE,
            stdout=subprocess.DEVNULL if tcp else subprocess.PIPE,
            stderr=stderr,
            limit=LIMIT,
        )
    if tcp:
        return Client(process, *await _connected(port, process))
    assert process.stdout is not None
    assert process.stdin is not None
    return Client(process, process.stdout, process.stdin)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _connected(port: int, process: asyncio.subprocess.Process) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while process.returncode is None:
        with contextlib.suppress(ConnectionRefusedError):
            return await asyncio.open_connection("127.0.0.1", port, limit=LIMIT)
        await asyncio.sleep(0.005)
    raise ServerGone(f"the server ended with {process.returncode}")


def recorded(name: str, root: Path, options: Any = None) -> dict[str, Any]:
    """The `initialize` params of a recorded client (`tests/server/lsp/clients`), for a workspace."""
    path = Path(__file__).parents[1] / "server" / "lsp" / "clients" / f"{name}.json"
    params: dict[str, Any] = msgspec.json.decode(path.read_bytes())["params"]
    place = {"rootPath": str(root), "rootUri": root.as_uri(), "workspaceFolders": [{"name": root.name, "uri": root.as_uri()}]}
    return params | place | {"processId": os.getpid()} | ({} if options is None else {"initializationOptions": options})
