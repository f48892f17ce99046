"""The host's end of the socket to one agent."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec

from suture_sandbox.docker.inside.request import Breeding
from suture_sandbox.docker.order import Order

_HEAD = 9


class Hello(msgspec.Struct, frozen=True):
    """What an agent says first."""

    python: str
    machine: str
    counters: bool
    problem: str = ""
    """Why no attempt can be made in this container; empty where it can."""


class Bred(msgspec.Struct, frozen=True):
    """What a zygote says."""

    names: tuple[str, ...] = ()
    """Top-level names of what it has loaded."""
    threads: str = ""
    """What has started threads when it was loaded, so that the zygote cannot be forked."""
    problem: str = ""
    """Why there is none."""


class Connection:
    """Frames to and from one agent; see `inside.wire` for what they are."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def receive(self) -> tuple[bytes, bytes]:
        """The next frame; raises EOFError or OSError where the agent is gone."""
        head = await self._reader.readexactly(_HEAD)
        return head[:1], await self._reader.readexactly(int.from_bytes(head[1:], "big"))

    async def hello(self) -> Hello:
        """What the agent says first."""
        _, content = await self.receive()
        return msgspec.json.decode(content, type=Hello)

    async def ask(self, order: Order) -> None:
        """Ask for an attempt."""
        self._send(b"R", msgspec.json.encode(order.request._asdict()))
        for blob in order.blobs:
            self._send(b"B", blob)
        await self._writer.drain()

    async def breed(self, wanted: Breeding) -> Bred:
        """Have a zygote, or have the one there is load more."""
        self._send(b"Z", msgspec.json.encode(wanted._asdict()))
        await self._writer.drain()
        letter, content = await self.receive()
        return msgspec.json.decode(content, type=Bred) if letter == b"Z" else Bred(problem="the agent answered something else")

    def kill(self) -> None:
        """Ask for the attempt to end at once."""
        self._send(b"K", b"")

    @property
    def idle(self) -> bool:
        """Whether the agent is still there."""
        return not self._reader.at_eof() and not self._writer.is_closing()

    async def close(self) -> None:
        """Let go of the socket, upon which the agent ends, and its container with it."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    def _send(self, letter: bytes, content: bytes) -> None:
        self._writer.write(letter + len(content).to_bytes(8, "big"))
        self._writer.write(content)
