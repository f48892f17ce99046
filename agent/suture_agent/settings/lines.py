"""Lines of the keys of a TOML text, which `tomllib` does not tell.

A small scanner over the same tokens that TOML has: comments, strings of four kinds, bare words and marks. It is no parser and judges
nothing: of a text that `tomllib` takes it finds every key, and of any other text it finds what it can, in linear time.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping

Path = tuple[str, ...]
"""The parts of a dotted key."""

_TOKEN = re.compile(
    r'''
    (?P<blank>[ \t\r]++|\#[^\n]*+)
    |(?P<newline>\n)
    |(?P<text>"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*+"{3,5}|\'\'\'(?:[^']++|'{1,2}+(?!'))*+'{3,5}|"""|\'\'\'
      |"(?:[^"\\\n]++|\\[^\n])*+"|'[^'\n]*+'|["'])
    |(?P<word>[A-Za-z0-9_-]++)
    |(?P<mark>[\[\]{}=,.])
    |(?P<other>.)
    ''',
    re.DOTALL | re.VERBOSE,
)
_OPEN_ENDED = ('"""', "'''", '"', "'")
"""Strings without an end: nothing after one is TOML."""


def key_lines(text: str) -> dict[Path, int]:
    """Key -> one-based line on which it first stands: tables, keys, and keys of inline tables (those in arrays under the array's key)."""
    scan = _Scan()
    for kind, word, line in _tokens(text):
        scan.take(kind, word, line)
    return scan.lines


def longest_key(text: str) -> int:
    """How many parts the longest dotted key has."""
    longest = run = 0
    dotted = False
    for kind, word, _ in _tokens(text):
        if kind in ("word", "text"):
            run = run + 1 if dotted else 1
            longest = max(longest, run)
        dotted = word == "."
    return longest


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and line of every token that is not blank."""
    line = 1
    for found in _TOKEN.finditer(text):
        kind, word = str(found.lastgroup), found[0]
        if word in _OPEN_ENDED:
            return
        if kind != "blank":
            yield kind, word, line
        line += word.count("\n")


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
