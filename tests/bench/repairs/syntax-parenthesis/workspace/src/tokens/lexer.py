"""A tokeniser for arithmetic."""

from __future__ import annotations

import re
from typing import NamedTuple

PATTERN = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<operator>[-+*/()=]))")


class Token(NamedTuple):
    kind: str
    text: str
    position: int


class LexError(ValueError):
    """There is no token at this place."""


def tokenise(source: str) -> list[Token]:
    tokens: list[Token] = []
    position = 0
    end = len(source.rstrip())
    while position < end:
        match = PATTERN.match(source, position)
        if match is None:
            raise LexError(f"unexpected character at {position}")
        kind = match.lastgroup or ""
        tokens.append(Token(kind, match[kind], match.start(kind))
        position = match.end()
    return tokens
