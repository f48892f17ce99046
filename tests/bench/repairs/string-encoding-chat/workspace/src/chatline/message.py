from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    author: str
    text: str

    @classmethod
    def parse(cls, line: str) -> Message:
        """A message from a line such as `anna: hello`."""
        author, separator, text = line.partition(":")
        if not separator or not author.strip():
            raise ValueError(f"not a message: {line!r}")
        return cls(author.strip(), text.strip())
