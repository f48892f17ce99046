"""Documents as an editor keeps them: text, version, edits by line and column in the encoding that was agreed on, UTF-8, -16 or -32.

Written anew, from the protocol's words alone, to compare a server's texts with; nothing of suture is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]
Position = dict[str, int]

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\n|\r|\Z)")


def width(text: str, encoding: Encoding) -> int:
    """Code units of a text."""
    if encoding == "utf-32":
        return len(text)
    return len(text.encode("utf-8")) if encoding == "utf-8" else len(text.encode("utf-16-le")) // 2


class Document:
    """One open file."""

    def __init__(self, uri: str, text: str, encoding: Encoding, language: str = "python") -> None:
        self.uri, self.text, self.encoding, self.language = uri, text, encoding, language
        self.version = 1

    @property
    def opened(self) -> dict[str, Any]:
        """The params of `textDocument/didOpen`."""
        return {"textDocument": {"uri": self.uri, "languageId": self.language, "version": self.version, "text": self.text}}

    @property
    def identifier(self) -> dict[str, Any]:
        """What other requests name it by."""
        return {"uri": self.uri}

    def position(self, offset: int) -> Position:
        """Line and column of an offset into the text; between the halves of a line's end, the first half's."""
        before = self.text[:offset]
        if before.endswith("\r") and self.text[offset : offset + 1] == "\n":
            before = before[:-1]
        start = max(before.rfind("\n"), before.rfind("\r")) + 1
        lines = before.count("\n") + before.count("\r") - before.count("\r\n")
        return {"line": lines, "character": width(before[start:], self.encoding)}

    def offset(self, position: Position) -> int:
        """The offset of a line and column; past the end of a line means its end, past the last line the end of all."""
        at = 0
        for _ in range(position["line"]):
            found = _LINE.match(self.text, at)
            assert found is not None
            if found.end() == len(self.text) and not found[0].endswith(("\n", "\r")):
                return len(self.text)
            at = found.end()
        line = re.compile(r"[^\r\n]*").match(self.text, at)
        assert line is not None
        units, left = 0, position["character"]
        while units < len(line[0]) and left > 0:
            left -= width(line[0][units], self.encoding)
            units += 1
        return at + units

    def replace(self, start: int, end: int, text: str) -> dict[str, Any]:
        """Change the text between two offsets: the params of `textDocument/didChange`."""
        change = {"range": {"start": self.position(start), "end": self.position(end)}, "text": text}
        return self.change([change])

    def change(self, changes: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Apply changes as the protocol has them, one after another: the params of `textDocument/didChange`."""
        sent = list(changes)
        for each in sent:
            self._apply(each)
        self.version += 1
        return {"textDocument": {"uri": self.uri, "version": self.version}, "contentChanges": sent}

    def edit(self, edits: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """Apply text edits, all of which speak of the text as it is: the params of `textDocument/didChange`."""
        places = [(self.offset(each["range"]["start"]), each) for each in edits]
        backwards = [each for _, each in sorted(places, key=lambda place: place[0], reverse=True)]
        return self.change({"range": each["range"], "text": each["newText"]} for each in backwards)

    def _apply(self, change: dict[str, Any]) -> None:
        if "range" not in change:
            self.text = change["text"]
            return
        start, end = (self.offset(change["range"][side]) for side in ("start", "end"))
        self.text = self.text[:start] + change["text"] + self.text[end:]
