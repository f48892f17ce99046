"""TOML of a workspace as data: `tomllib`, kept from the texts that it takes quadratic time or too deep a stack for.

Every error is one kind, `BadToml`, which says what is wrong and in which line. The tokens serve those who ask for more than values.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

LONGEST_KEY = 32
"""Parts of a dotted key: `tomllib` takes quadratic time on long ones."""

_LINE = re.compile(r"at line (\d+)")
# Python 3.11.2, which Debian 12 has, matches a possessive group wrongly: only single characters are possessive here.
_TOKEN = re.compile(
    r'''
    (?P<blank>[ \t\r]++|\#[^\n]*+)
    |(?P<newline>\n)
    |(?P<text>"""(?:[^"\\]++|\\.|"{1,2}+(?!"))*"{3,5}|\'\'\'(?:[^']++|'{1,2}+(?!'))*'{3,5}|"""|\'\'\'
      |"(?:[^"\\\n]++|\\[^\n])*"|'[^'\n]*+'|["'])
    |(?P<word>[A-Za-z0-9_-]++)
    |(?P<mark>[\[\]{}=,.])
    |(?P<other>.)
    ''',
    re.DOTALL | re.VERBOSE,
)
_OPEN_ENDED = ('"""', "'''", '"', "'")
"""Strings without an end: nothing after one is TOML."""


class BadToml(ValueError):
    """A text that is not TOML, or not TOML that anybody writes."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line

    def within(self, name: str) -> str:
        """The message with the file's name, and the line where there is one."""
        return f"{name}: {self}" if self.line is None else f"{name}:{self.line}: {self}"


def parse(text: str) -> dict[str, Any]:
    """The tables of a TOML text; raises BadToml."""
    if _may_have_long_keys(text) and longest_key(text) > LONGEST_KEY:
        raise BadToml(f"a key of more than {LONGEST_KEY} parts")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise BadToml("nested too deeply") from error
    except tomllib.TOMLDecodeError as error:
        where = _LINE.search(str(error))
        line = int(where[1]) if where else text.rstrip("\n").count("\n") + 1
        raise BadToml(f"not valid TOML: {str(error)[:200]}", line) from error
    except ValueError as error:
        raise BadToml("a number of too many digits") from error


def tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Kind, text and line of every token that is not blank."""
    line = 1
    for found in _TOKEN.finditer(text):
        kind, word = str(found.lastgroup), found[0]
        if word in _OPEN_ENDED:
            return
        if kind != "blank":
            yield kind, word, line
        line += word.count("\n")


def longest_key(text: str) -> int:
    """How many parts the longest dotted key has."""
    longest = run = 0
    dotted = False
    for kind, word, _ in tokens(text):
        if kind in ("word", "text"):
            run = run + 1 if dotted else 1
            longest = max(longest, run)
        dotted = word == "."
    return longest


def _may_have_long_keys(text: str) -> bool:
    """Whether any line has so many dots: keys end with their line, and looking at every token of a large lock file takes seconds."""
    return any(line.count(".") >= LONGEST_KEY for line in text.split("\n"))
