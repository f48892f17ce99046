"""The moves of a chess game, from the text in which they are written down."""

from __future__ import annotations

import re

_COMMENT = re.compile(r"\{[^}]*\}|;[^\n]*")
_RESULT = re.compile(r"(1-0|0-1|1/2-1/2|\*)\s*$")
_MOVE = re.compile(
    r"""
    (?: O-O | O-O-O                                     # castling
      | [KQRBN][a-h]?[1-8]?x?[a-h][1-8]                 # a piece
      | (?:[a-h]x)?[a-h][1-8](?:=[QRBN])?               # a pawn
    )
    [+\#]?
    """,
    re.VERBOSE,
)


def strip_comments(text: str) -> str:
    """The text without what stands in braces or after a semicolon."""
    return _COMMENT.sub("", text)


def moves(text: str) -> list[str]:
    """All half-moves in their order, without numbers, comments and result."""
    return _MOVE.findall(_RESULT.sub("", strip_comments(text)))


def result(text: str) -> str:
    """How the game ended; a star when it did not."""
    match = _RESULT.search(strip_comments(text))
    return match[1] if match else "*"
