"""Lines of the keys of a TOML text, which `tomllib` does not tell.

A small scanner over the same tokens that TOML has: comments, strings of four kinds, bare words and marks. It is no parser and judges
nothing: of a text that `tomllib` takes it finds every key, and of any other text it finds what it can, in linear time.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping

from suture_sandbox.toml import tokens

Path = tuple[str, ...]
"""The parts of a dotted key."""


def key_lines(text: str) -> dict[Path, int]:
    """Key -> one-based line on which it first stands: tables, keys, and keys of inline tables (those in arrays under the array's key)."""
    scan = _Scan()
    for kind, word, line in tokens(text):
        scan.take(kind, word, line)
    return scan.lines


class _Scan:
    """Where in the text the scanner is."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self._places: list[tuple[bool, Path]] = [(True, ())]
        """What is open, outermost first: whether it is a table and not an array, and the key that it stands under."""
        self._key: list[str] = []
        self._line = 0
        self._current: Path = ()
        """The key whose value is being read."""
        self._in_key = True
        self._in_header = False
        self._marks: Mapping[str, Callable[[], None]] = {
            "[": self._open_bracket,
            "]": self._close_bracket,
            "{": self._open_brace,
            "}": self._close,
            "=": self._assign,
            ",": self._next,
        }

    def take(self, kind: str, word: str, line: int) -> None:
        """Go on by one token."""
        if kind == "mark":
            self._marks.get(word, _nothing)()
        elif kind == "newline" and len(self._places) == 1:
            self._begin_key()
        elif kind in ("word", "text") and self._in_key:
            self._line = line
            self._key.append(_name(kind, word))

    def _begin_key(self) -> None:
        self._key, self._in_key, self._in_header = [], True, False

    def _end_key(self, prefix: Path) -> None:
        self._current = (*prefix, *self._key)
        self.lines.setdefault(self._current, self._line)
        self._key, self._in_key = [], False

    def _open_bracket(self) -> None:
        if not self._in_key:
            self._places.append((False, self._current))
        elif len(self._places) == 1:
            self._in_header = True

    def _close_bracket(self) -> None:
        if not self._in_header:
            self._close()
        elif self._key:
            self._end_key(())
            self._places = [(True, self._current)]

    def _open_brace(self) -> None:
        self._places.append((True, self._current))
        self._key, self._in_key = [], True

    def _close(self) -> None:
        if len(self._places) > 1:
            self._current = self._places.pop()[1]
        self._key, self._in_key = [], False

    def _assign(self) -> None:
        if self._in_key and self._key:
            self._end_key(self._places[-1][1])

    def _next(self) -> None:
        is_table, self._current = self._places[-1]
        self._key, self._in_key = [], is_table


def _nothing() -> None:
    """A dot between parts of a key, or in a number."""


def _name(kind: str, word: str) -> str:
    """A part of a key without its quotes."""
    if kind == "word":
        return word
    if "\\" not in word or word[0] == "'":
        return word[1:-1]
    try:
        return str(tomllib.loads(f"key = {word}")["key"])
    except tomllib.TOMLDecodeError:
        return word[1:-1]
