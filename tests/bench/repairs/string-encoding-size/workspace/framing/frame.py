"""Length-prefixed frames: four digits with the number of bytes, a colon, then UTF-8 text."""

from __future__ import annotations

LIMIT = 9999


class FrameError(ValueError):
    """The bytes are not a frame."""


def encode(text: str) -> bytes:
    if len(text) > LIMIT:
        raise FrameError("text is too long")
    return f"{len(text):04d}:{text}".encode()


def decode(data: bytes) -> tuple[str, bytes]:
    """The first frame's text, and the bytes after it."""
    head, colon, rest = data.partition(b":")
    if not colon or not head.isdigit():
        raise FrameError("no length")
    size = int(head)
    if len(rest) < size:
        raise FrameError("frame is cut off")
    return rest[:size].decode(), rest[size:]


def decode_all(data: bytes) -> list[str]:
    texts = []
    while data:
        text, data = decode(data)
        texts.append(text)
    return texts
