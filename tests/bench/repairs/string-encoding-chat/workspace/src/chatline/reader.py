"""Lines of a chat, from the chunks in which the network delivers them."""

from __future__ import annotations


class LineReader:
    """Collects chunks of UTF-8 until they are whole lines; bytes that are not UTF-8 become U+FFFD."""

    def __init__(self, limit: int = 500) -> None:
        self.limit = limit
        self._rest = ""

    def feed(self, chunk: bytes) -> list[str]:
        """The lines that are whole with this chunk, without their ends and cut to the limit."""
        self._rest += chunk.decode("utf-8", errors="replace")
        *lines, self._rest = self._rest.split("\n")
        return [line.removesuffix("\r")[: self.limit] for line in lines]

    @property
    def pending(self) -> str:
        """What has come of a line that is not whole yet."""
        return self._rest
