"""Open documents: texts, versions, and positions in the client's encoding.

The language server's own, not pygls's: that one splits lines at form feeds and other characters that end no line in LSP, which would
corrupt a text that has them. Lines end as in `suture_sandbox.text`.
"""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types

from suture_sandbox.text import Encoding, Position, convert, lines_with_ends, units

ENCODINGS: dict[str, Encoding] = {"utf-8": "utf-8", "utf-16": "utf-16", "utf-32": "utf-32"}
MOST_EDITS = 4096
"""Edits of a document that are remembered, to move the findings of a check that was started before them."""


class Edit:
    """One change as far as positions are concerned, in UTF-16 units: what was from `start` to `end` now ends at `new_end`."""

    __slots__ = ("end", "new_end", "start")

    def __init__(self, start: Position, end: Position, new_end: Position) -> None:
        self.start, self.end, self.new_end = start, end, new_end

    def moved(self, place: Position, *, opening: bool) -> Position:
        """Where a position is after the change. At an insertion an opening position goes with the text behind it."""
        if place < self.start or (place == self.start and not (opening and self.start == self.end)):
            return place
        if place >= self.end:
            line = place.line + self.new_end.line - self.end.line
            character = place.character + (self.new_end.character - self.end.character if place.line == self.end.line else 0)
            return Position(line, character)
        return self.start if opening else self.new_end


class Document:
    """The text of an open document. Changed in place, in the order of the client's notifications."""

    def __init__(self, uri: str, language: str, version: int, text: str) -> None:
        self.uri = uri
        self.language = language
        self.version = version
        self.sequence = 0
        """Grows with every change; results are told by it how far they are behind."""
        self._lines = lines_with_ends(text)
        self._text: str | None = text
        self._edits: list[Edit] = []

    @property
    def text(self) -> str:
        """The whole text."""
        if self._text is None:
            self._text = "".join(self._lines)
        return self._text

    @property
    def lines(self) -> Sequence[str]:
        """Lines with their ends; a text that ends in one has no empty line after it here."""
        return self._lines

    def line(self, number: int) -> str:
        """A line without its end; empty beyond the text."""
        return self._lines[number].rstrip("\r\n") if 0 <= number < len(self._lines) else ""

    @property
    def end(self) -> Position:
        """The place behind the last character, in UTF-16 units."""
        if not self._lines or self._lines[-1].endswith(("\n", "\r")):
            return Position(len(self._lines), 0)
        return Position(len(self._lines) - 1, units(self._lines[-1]))

    def change(self, change: types.TextDocumentContentChangeEvent, encoding: Encoding) -> Edit:
        """Apply one change, and return what it does to positions; a range beyond the text means its end."""
        if isinstance(change, types.TextDocumentContentChangeWholeDocument):
            edit = self._replace_all(change.text)
        else:
            edit = self._replace(change.range, change.text, encoding)
        self._edits.append(edit)
        self.sequence += 1
        self._text = None
        del self._edits[:-MOST_EDITS]
        return edit

    def moved(self, place: Position, since: int, *, opening: bool) -> Position | None:
        """Where a position of the text at sequence `since` is now; None where too much has happened since."""
        behind = self.sequence - since
        if behind > len(self._edits):
            return None
        for edit in self._edits[len(self._edits) - behind :]:
            place = edit.moved(place, opening=opening)
        return place

    def utf16(self, place: types.Position, encoding: Encoding) -> Position:
        """A client's position in UTF-16 units, inside the text."""
        if place.line >= len(self._lines):
            return self.end
        return Position(max(place.line, 0), convert(self.line(place.line), place.character, source=encoding, target="utf-16"))

    def _replace_all(self, text: str) -> Edit:
        before, after = self._lines, lines_with_ends(text)
        same = 0
        while same < min(len(before), len(after)) and before[same] == after[same]:
            same += 1
        tail = 0
        while tail < min(len(before), len(after)) - same and before[-1 - tail] == after[-1 - tail]:
            tail += 1
        end = Position(len(before) - tail, 0) if tail else self.end
        self._lines = after
        return Edit(min(Position(same, 0), end), end, Position(len(after) - tail, 0) if tail else self.end)

    def _replace(self, where: types.Range, text: str, encoding: Encoding) -> Edit:
        lines = self._lines
        first, start = self._index(where.start, encoding)
        last, end = self._index(where.end, encoding)
        if (last, end) < (first, start):
            last, end = first, start
        head = lines[first][:start] if first < len(lines) else ""
        tail = lines[last][end:] if last < len(lines) else ""
        began = Position(first, units(head))
        ended = Position(last, units(lines[last][:end]) if last < len(lines) else 0)
        beyond = last + 1
        if first and (head + text + tail).startswith("\n") and lines[first - 1].endswith("\r"):  # the two become one line end
            first, head = first - 1, lines[first - 1]
            began = Position(first, units(head) - 1)
        lines[first:beyond] = lines_with_ends(head + text + tail)
        return Edit(began, ended, _behind(first, head + text, tail))

    def _index(self, place: types.Position, encoding: Encoding) -> tuple[int, int]:
        """Line and code point of a client's position, inside the text."""
        lines = self._lines
        if place.line >= len(lines):
            if lines and not lines[-1].endswith(("\n", "\r")):
                return len(lines) - 1, len(lines[-1])
            return len(lines), 0
        number = max(place.line, 0)
        return number, convert(self.line(number), place.character, source=encoding, target="utf-32")


def _behind(line: int, piece: str, tail: str) -> Position:
    """Where a piece ends that begins with a line, and has `tail` behind it; inside of a line end means before it."""
    lines = lines_with_ends(piece)
    if piece.endswith("\r") and tail.startswith("\n"):
        return Position(line + len(lines) - 1, units(lines[-1]) - 1)
    if not lines or lines[-1].endswith(("\n", "\r")):
        return Position(line + len(lines), 0)
    return Position(line + len(lines) - 1, units(lines[-1]))
