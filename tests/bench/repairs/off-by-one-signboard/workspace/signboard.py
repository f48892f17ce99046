"""Texts for a signboard with rows of fixed width."""

from __future__ import annotations


class TooLong(ValueError):
    """A text that does not fit on the board."""


def fill(text: str, width: int) -> list[str]:
    """The words of a text in as few rows as possible; a word that is wider than a row is cut into pieces."""
    rows: list[str] = []
    row = ""
    for word in text.split():
        while len(word) > width:
            if row:
                rows.append(row)
                row = ""
            rows.append(word[:width])
            word = word[width:]
        if not word:
            continue
        if row and len(row) + len(word) > width:
            rows.append(row)
            row = word
        else:
            row = f"{row} {word}" if row else word
    if row:
        rows.append(row)
    return rows


def board(text: str, width: int, height: int) -> list[str]:
    """All rows of the board, with the text in its middle."""
    rows = fill(text, width)
    if len(rows) > height:
        raise TooLong(f"{len(rows)} rows do not fit into {height}")
    above = (height - len(rows)) // 2
    below = height - len(rows) - above
    return [" " * width] * above + [row.center(width) for row in rows] + [" " * width] * below


def scroll(text: str, width: int) -> list[str]:
    """What a single row shows while a text moves through it from right to left."""
    tape = " " * width + text + " " * width
    return [tape[start : start + width] for start in range(len(tape) - width + 1)]
