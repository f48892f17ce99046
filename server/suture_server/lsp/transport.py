"""Carrying messages over stdio or TCP. Reading is asynchronous, so that nothing waits in a thread when the process is to end."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import stat
import sys
from typing import BinaryIO

from lsprotocol import types

from suture_server.lsp.protocol import SutureProtocol

logger = logging.getLogger(__name__)

_LENGTH = re.compile(rb"content-length\s*:\s*(\d{1,15})\s*", re.IGNORECASE)
LARGEST = 1 << 28
"""Bytes of one message."""
LONGEST_HEADER = 1 << 16
BUFFER = 1 << 22


class Garbled(Exception):
    """What comes is no sequence of LSP messages: the connection cannot go on."""


async def read_messages(reader: asyncio.StreamReader, protocol: SutureProtocol) -> None:
    """Hand every message to the protocol until the stream ends. Raises Garbled."""
    while True:
        length = await _header(reader)
        if length is None:
            return
        try:
            body = await reader.readexactly(length)
        except asyncio.IncompleteReadError:
            return
        try:
            data = json.loads(body)
        except (ValueError, RecursionError) as error:
            protocol.refuse(None, types.ErrorCodes.ParseError, f"not JSON: {error}")
            continue
        protocol.take(data)


async def _header(reader: asyncio.StreamReader) -> int | None:
    """The length of the next message; None at the end of the stream."""
    length: int | None = None
    size = 0
    while True:
        try:
            line = await reader.readline()
        except ValueError as error:
            raise Garbled("a header line that does not end") from error
        size += len(line)
        if size > LONGEST_HEADER:
            raise Garbled("a header that does not end")
        if not line:
            return None
        if line.strip():
            found = _LENGTH.fullmatch(line.rstrip(b"\r\n"))
            length = int(found[1]) if found else length
            continue
        if length is None:
            raise Garbled("a message without Content-Length")
        if length > LARGEST:
            raise Garbled(f"a message of {length} bytes")
        return length


async def standard_streams() -> tuple[asyncio.StreamReader, asyncio.StreamWriter | PlainWriter]:
    """Standard input and output; whatever else prints goes to stderr from now on."""
    loop = asyncio.get_running_loop()
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123, ASYNC230  # for as long as the process lives
    reader = asyncio.StreamReader(limit=BUFFER)
    mode = os.fstat(source.fileno()).st_mode
    if stat.S_ISREG(mode) or (stat.S_ISCHR(mode) and not source.isatty()):  # a file, or /dev/null: nothing that could be waited for
        reader.feed_data(source.read())
        reader.feed_eof()
    else:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), source)
    if stat.S_ISREG(os.fstat(sink.fileno()).st_mode):
        return reader, PlainWriter(sink)
    transport, protocol = await loop.connect_write_pipe(asyncio.streams.FlowControlMixin, sink)
    return reader, asyncio.StreamWriter(transport, protocol, None, loop)


class PlainWriter:
    """Writes to a file that asyncio cannot wait for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> None:
        """Write at once."""
        self._file.write(data)
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    async def drain(self) -> None:
        """There is nothing to wait for."""
