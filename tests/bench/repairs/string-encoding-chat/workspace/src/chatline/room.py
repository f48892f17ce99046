from __future__ import annotations

from chatline.message import Message
from chatline.reader import LineReader


class Room:
    """The messages of one connection."""

    def __init__(self) -> None:
        self._reader = LineReader()
        self.messages: list[Message] = []
        self.refused = 0

    def receive(self, chunk: bytes) -> None:
        for line in self._reader.feed(chunk):
            try:
                self.messages.append(Message.parse(line))
            except ValueError:
                self.refused += 1
