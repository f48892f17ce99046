"""Positions in text: the one module that converts between lines, code points, bytes and UTF-16 units.

A position is zero-based, and its character counts UTF-16 code units, as in LSP. Lines end at \\n, \\r\\n or \\r and at nothing else (a form
feed is no line break). Tools report in their own units; report parsers convert here.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

_LINE_END = re.compile(r"\r\n|\n|\r")
_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")

Encoding = Literal["utf-8", "utf-16", "utf-32"]
"""The unit in which a column counts: bytes, UTF-16 code units or code points."""


class Position(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A place between two characters."""

    line: int
    """Zero-based line."""
    character: int
    """Zero-based offset in the line, in UTF-16 code units."""


class Range(msgspec.Struct, frozen=True, array_like=True, order=True):
    """From `start` up to, not including, `end`."""

    start: Position
    end: Position


def split_lines(text: str) -> list[str]:
    """The lines of `text` without their ends; an empty text has one empty line."""
    return _LINE_END.split(text)


def lines_with_ends(text: str) -> list[str]:
    """The lines of `text` with their ends; joined they give the text, and an empty text has none."""
    return _LINE.findall(text)


def units(text: str, encoding: Encoding = "utf-16") -> int:
    """How many units of `encoding` the text takes."""
    if encoding == "utf-32" or text.isascii():
        return len(text)
    if encoding == "utf-8":
        return len(text.encode("utf-8", "surrogatepass"))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def convert(line: str, offset: int, *, source: Encoding, target: Encoding) -> int:
    """Convert an offset in `line` between encodings; clamped to the line, and to the start of a character it falls inside."""
    if offset <= 0:
        return 0
    if line.isascii() or source == target == "utf-32":
        return min(offset, len(line))
    return units(line[: _characters(line, offset, source)], target)


def _characters(line: str, offset: int, source: Encoding) -> int:
    """How many whole characters of `line` lie before an offset: a cut through a character leaves that character out."""
    if source == "utf-32":
        return offset
    if source == "utf-8":
        raw = line.encode("utf-8", "surrogatepass")
        while 0 < offset < len(raw) and raw[offset] & 0xC0 == 0x80:
            offset -= 1
        return len(raw[:offset].decode("utf-8", "surrogatepass"))
    before = line.encode("utf-16-le", "surrogatepass")[: 2 * offset].decode("utf-16-le", "surrogatepass")
    return len(before) - 1 if before != line[: len(before)] else len(before)


def point(line: int, column: int, *, lines: list[str] | None = None, source: Encoding = "utf-32") -> Position:
    """A position from a zero-based line and a zero-based column in `source` units; without the text the column is taken as it is."""
    if lines is None or not 0 <= line < len(lines):
        return Position(max(line, 0), max(column, 0))
    return Position(line, convert(lines[line], column, source=source, target="utf-16"))


def whole_line(line: int, *, lines: list[str] | None = None) -> Range:
    """The range of a zero-based line's visible text; without the text an empty range at its start."""
    if lines is None or not 0 <= line < len(lines):
        return Range(Position(max(line, 0), 0), Position(max(line, 0), 0))
    text = lines[line]
    indent = len(text) - len(text.lstrip()) if text.strip() else 0
    return Range(Position(line, units(text[:indent])), Position(line, units(text.rstrip())))
