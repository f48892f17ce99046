"""A real HTTP server on a loopback port that speaks as much of the OpenAI protocol as the tests need, and misbehaves on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest


@dataclass
class Asked:
    """A request as the server saw it."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


Reply = Callable[["Wire", Asked], Awaitable[None]]


@dataclass
class Wire:
    """The server's side of one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def json(self, data: Any, status: int = 200, headers: str = "") -> None:
        await self.raw(json.dumps(data).encode(), status, "application/json", headers)

    async def raw(self, body: bytes, status: int = 200, kind: str = "text/plain", headers: str = "") -> None:
        head = f"HTTP/1.1 {status} Status\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n{headers}connection: close\r\n\r\n"
        self.writer.write(head.encode() + body)
        await self.writer.drain()

    async def begin(self) -> None:
        self.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n")
        await self.writer.drain()

    async def event(self, data: Any) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        payload = f"data: {text}\n\n".encode()
        self.writer.write(f"{len(payload):x}\r\n".encode() + payload + b"\r\n")
        await self.writer.drain()

    async def end(self, *, done: bool = True) -> None:
        if done:
            await self.event("[DONE]")
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def cut(self) -> None:
        """Reset the connection."""
        self.writer.transport.abort()

    async def left(self) -> None:
        """Wait until the client has closed the connection."""
        while await self.reader.read(1024):
            pass


def delta(text: str | None = None, *, index: int = 0, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One streamed piece of a chat answer."""
    content = {"content": text} if text is not None else {}
    return {"choices": [{"index": index, "delta": {**content, **more}, "finish_reason": finish}]}


async def answer(wire: Wire, *pieces: Any, usage: dict[str, Any] | None = None) -> None:
    """A whole streamed answer."""
    await wire.begin()
    for piece in pieces:
        await wire.event(piece)
    if usage is not None:
        await wire.event({"choices": [], "usage": usage})
    await wire.end()


def says(*pieces: Any, usage: dict[str, Any] | None = None) -> Reply:
    """A reply that streams these pieces."""

    async def reply(wire: Wire, _asked: Asked) -> None:
        await answer(wire, *pieces, usage=usage)

    return reply


def fails(status: int, data: Any = None, headers: str = "retry-after-ms: 1\r\n") -> Reply:
    """A reply with an error status; the client is told to try again at once."""

    async def reply(wire: Wire, _asked: Asked) -> None:
        await wire.json(data if data is not None else {"error": {"message": f"status {status}"}}, status, headers)

    return reply


@dataclass
class FakeServer:
    """Plays `chat` replies in order (the last one for ever), and answers the other paths from `paths`."""

    url: str = ""
    chat: list[Reply] = field(default_factory=lambda: [says(delta("hello"), delta(finish="stop"))])
    paths: dict[str, Any] = field(default_factory=lambda: {"/v1/models": {"data": [{"id": "Qwen/Qwen3-32B"}, {"id": "other"}]}})
    asked: list[Asked] = field(default_factory=list)
    lost: asyncio.Event = field(default_factory=asyncio.Event)
    says = staticmethod(says)
    fails = staticmethod(fails)
    delta = staticmethod(delta)
    answer = staticmethod(answer)

    @property
    def chats(self) -> list[Any]:
        """Bodies of the requests for an answer."""
        return [each.body for each in self.asked if each.path == "/v1/chat/completions"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(reader, writer)
        try:
            asked = await _read(reader)
            self.asked.append(asked)
            await self._reply(wire, asked)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.lost.set()

    async def _reply(self, wire: Wire, asked: Asked) -> None:
        if asked.path == "/v1/chat/completions":
            number = len(self.chats) - 1
            await self.chat[min(number, len(self.chat) - 1)](wire, asked)
        elif asked.path in self.paths:
            found = self.paths[asked.path]
            await (found(wire, asked) if callable(found) else wire.json(found))
        else:
            await wire.json({"error": {"message": "not found"}}, 404)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = first.split(" ")
    return Asked(method, path, headers, json.loads(body) if body else None)


@pytest.fixture
async def fake(listen) -> FakeServer:
    found = FakeServer()
    found.url = f"http://127.0.0.1:{await listen(found.serve)}/v1"
    return found


@pytest.fixture(autouse=True)
def no_foreign_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer's shell says about other services must not reach a test."""
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_BASE_URL", "SUTURE_API_KEY", "SUTURE_MODELS"):
        monkeypatch.delenv(name, raising=False)
