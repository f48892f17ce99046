"""Frames, both ways: one letter, the length in 8 bytes, the content.

To the agent: R an attempt as JSON, B one of its blobs, K end it at once, Z start a zygote or have it load more.
From the agent: H hello, O and E output, P report, C changes, S what was loaded, D how it ended as JSON, X all of it is gone, Z what the
zygote says.
"""

from __future__ import annotations

import array
import socket
from collections.abc import Sequence


def receive(connection: socket.socket) -> tuple[bytes, bytes]:
    """The next frame: letter and content; raises EOFError where the other side is gone."""
    head = _exactly(connection, 9)
    return head[:1], _exactly(connection, int.from_bytes(head[1:], "big"))


def send(connection: socket.socket, letter: bytes, content: bytes = b"") -> None:
    """Send one frame."""
    connection.sendall(letter + len(content).to_bytes(8, "big") + content)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if count == 0:
            raise EOFError
        view = view[count:]
    return bytes(data)


def hand_over(control: socket.socket, text: bytes, descriptors: Sequence[int]) -> None:
    """Send one message of a packet socket, with descriptors."""
    control.sendmsg([text], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])


def take_over(control: socket.socket, most: int) -> tuple[bytes, list[int]]:
    """One message of a packet socket with its descriptors; nothing where the other side is gone."""
    numbers = array.array("i")
    text, ancillary, _, _ = control.recvmsg(most, socket.CMSG_SPACE(4 * numbers.itemsize), socket.MSG_CMSG_CLOEXEC)
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
    return text, list(numbers)
