"""Secrets checked again before a row leaves: by the present rules of `suture_agent.redact`, whatever rules its record was made under.

`redact` takes about a tenth of a second for a megabyte. So the rows of a batch are first searched by RE2 (Arrow has it) for anything that
could be a secret, and only texts in which there is something go through `redact` itself. The patterns are `redact`'s own, loosened into
what RE2 knows: without looking around and without possessive quantifiers they find the same and more, so nothing gets by. It is done twice:
a whole row, and the texts of a doubtful row one by one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from suture_agent.policies import Message, ToolSchema
from suture_agent.redact import redact, signs
from suture_training.data.rows import Episode, LeftOut, Pair, Preference, Row, Secrets, said
from suture_training.libraries import library

MARK = "[redacted:"
"""What stands in the place of a secret."""
BETWEEN = "\n\0\n"
"""Between two texts that are searched together: no pattern goes over it."""
_COUNTED = re.compile(r"\{(\d+)(?:,\d*)?\}")
_FOLDED = r"\xc5\xbf|\xe2\x84\xaa"
"""The long s and the Kelvin sign in UTF-8: to `re` they are an s and a k where case does not count."""
_LOOK = ("(?=", "(?!", "(?<=", "(?<!", "(?P=")


def loosened(pattern: re.Pattern[str]) -> str:
    """A pattern for RE2 on bytes that finds something in every text in which the given one does.

    A letter may be several bytes, so how often something is repeated at most is not counted.
    """
    found, at, source = list[str](), 0, pattern.pattern
    while at < len(source):
        if source.startswith(_LOOK, at):
            at = _group_end(source, at)
        elif source[at] == "\\":
            found.append(_escape(source[at : at + 2]))
            at += 2
        elif source[at] == "[":
            end = _class_end(source, at)
            found.append(_letters(source[at:end]))
            at = end
        elif source[at] == "+" and found and found[-1] in ("+", "*", "?", "}"):
            at += 1
        elif counted := _COUNTED.match(source, at):
            found += [f"{{{counted[1]},", "}"]
            at = counted.end()
        elif named := re.compile(r"\(\?P<\w+>").match(source, at):
            found.append("(?:")
            at = named.end()
        else:
            found.append(source[at])
            at += 1
    flags = "".join(letter for letter, flag in (("i", re.IGNORECASE), ("m", re.MULTILINE), ("s", re.DOTALL)) if pattern.flags & flag)
    return f"(?{flags}:{''.join(found)})"


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was looked through."""

    row: Row
    refused: str = ""
    """Why it cannot be learnt from: its answer held a secret."""


class Sieve(msgspec.Struct, frozen=True):
    """Two expressions of RE2: what the second one finds counts only in texts in which the first one, which is quicker, finds something."""

    first: str
    second: str


class Scanner:
    """Finds the rows that hold secrets, a batch at a time."""

    def __init__(self) -> None:
        known = signs()
        alone = "|".join([_FOLDED, *(loosened(sign.first) for sign in known if not sign.then)])
        twice = (Sieve(loosened(sign.first), "|".join(dict.fromkeys(map(loosened, sign.then)))) for sign in known if sign.then)
        self._sieves = (Sieve(alone, ""), *twice)
        self._clean: set[str] = set()
        """Texts that are in very many rows and were looked at."""
        self._tools: tuple[ToolSchema, ...] | None = None

    def suspicious(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text holds what could be a secret; false only where `redact` would change nothing."""
        np, pa = library("numpy"), library("pyarrow")
        column = _column(texts)
        doubtful = np.zeros(len(texts), dtype=bool)
        for sieve in self._sieves:
            found = _found(column, sieve.first)
            places = np.flatnonzero(found)
            if sieve.second and len(places):
                chosen = pa.Array.from_buffers(pa.int64(), len(places), [None, pa.py_buffer(places)])
                found[places] = _found(column.take(chosen), sieve.second)
            doubtful |= found
        return [bool(doubt) for doubt in doubtful]

    def checked(self, rows: Sequence[Row]) -> list[Checked]:
        """The rows with secrets taken out, in order."""
        texts = [self._texts(row) for row in rows]
        joined = [BETWEEN.join(each) for each in texts]
        doubtful = self.suspicious(joined)
        several = list(dict.fromkeys(text for each, doubt in zip(texts, doubtful, strict=True) if doubt for text in each))
        redacted = {text: redact(text)[0] for text, doubt in zip(several, self.suspicious(several), strict=True) if doubt}
        changed = {text: new for text, new in redacted.items() if text != new}
        found: list[Checked] = []
        for row, each, doubt, whole in zip(rows, texts, doubtful, joined, strict=True):
            if doubt and not changed.keys().isdisjoint(each):
                found.append(_settled(_replaced(row, changed), "redacted"))
            else:
                found.append(_settled(row, "clean") if MARK in whole else Checked(row=msgspec.structs.replace(row, secrets="clean")))
        return found

    def _texts(self, row: Row) -> list[str]:
        """What is searched: all of a row but the system prompt and the tools, of which there are few, and which are looked at once."""
        found = [row.patch]
        for message in said(row):
            if message.role != "system" or not self._known_clean(message.content):
                found.append(message.content)
            if message.reasoning:
                found.append(message.reasoning)
            if message.tool_calls:
                found += [call.arguments for call in message.tool_calls]
        if row.tools and not self._clean_tools(row.tools):
            found += [tool.description for tool in row.tools]
        return found

    def _clean_tools(self, tools: tuple[ToolSchema, ...]) -> bool:
        """Rows of one harness hold one and the same tuple, so it is known by its identity."""
        if self._tools is not tools:
            if not all(self._known_clean(tool.description) for tool in tools):
                return False
            self._tools = tools
        return True

    def _known_clean(self, text: str) -> bool:
        if text not in self._clean:
            if redact(text)[1]:
                return False
            if len(self._clean) > 1000:
                self._clean.clear()
            self._clean.add(text)
        return True


def _settled(row: Row, secrets: Secrets) -> Checked:
    """The row, with answers that hold the place of a secret masked."""
    try:
        return Checked(row=msgspec.structs.replace(_without_redacted_answers(row), secrets=secrets))
    except LeftOut as reason:
        return Checked(row=row, refused=str(reason))


def _without_redacted_answers(row: Row) -> Row:
    if isinstance(row, Episode):
        marked = [number for number, each in enumerate(row.messages) if each.role == "assistant" and _is_marked(each)]
        if len(row.messages) - 1 in marked:
            raise LeftOut("the answer held a secret")
        return msgspec.structs.replace(row, masked=tuple(sorted({*row.masked, *marked}))) if marked else row
    answers = (row.completion,) if isinstance(row, Preference) else (row.chosen, row.rejected) if isinstance(row, Pair) else ()
    if any(map(_is_marked, answers)):
        raise LeftOut("the answer held a secret")
    return row


def _is_marked(message: Message) -> bool:
    return MARK in message.content or MARK in message.reasoning or any(MARK in call.arguments for call in message.tool_calls)


def _replaced(row: Row, changed: Mapping[str, str]) -> Row:
    """The row with texts replaced by others."""

    def message(each: Message) -> Message:
        calls = tuple(msgspec.structs.replace(call, arguments=changed.get(call.arguments, call.arguments)) for call in each.tool_calls)
        content, reasoning = (changed.get(text, text) for text in (each.content, each.reasoning))
        return msgspec.structs.replace(each, content=content, reasoning=reasoning, tool_calls=calls)

    tools = tuple(msgspec.structs.replace(tool, description=changed.get(tool.description, tool.description)) for tool in row.tools)
    new = msgspec.structs.replace(row, patch=changed.get(row.patch, row.patch), tools=tools)
    if isinstance(new, Episode):
        return msgspec.structs.replace(new, messages=tuple(map(message, new.messages)))
    prompt = tuple(map(message, new.prompt)) if isinstance(new, Preference | Pair) else ()
    if isinstance(new, Preference):
        return msgspec.structs.replace(new, prompt=prompt, completion=message(new.completion))
    assert isinstance(new, Pair)
    return msgspec.structs.replace(new, prompt=prompt, chosen=message(new.chosen), rejected=message(new.rejected))


def _column(texts: Sequence[str]) -> Any:  # noqa: ANN401  # a pyarrow.LargeBinaryArray
    """Texts as Arrow has them. Made of buffers: given a list or an array pyarrow loads pandas, which nothing here needs."""
    np, pa = library("numpy"), library("pyarrow")
    parts = [text.encode() for text in texts]
    ends = np.zeros(len(parts) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)), out=ends[1:])
    return pa.Array.from_buffers(pa.large_binary(), len(parts), [None, pa.py_buffer(ends), pa.py_buffer(b"".join(parts))])


def _found(column: Any, pattern: str) -> Any:  # noqa: ANN401  # arrays of pyarrow and of numpy
    """Whether RE2 finds a pattern in each text."""
    np = library("numpy")
    bits = library("pyarrow.compute").match_substring_regex(column, pattern=pattern)
    packed = np.frombuffer(bits.buffers()[1], np.uint8)
    return np.unpackbits(packed, count=bits.offset + len(bits), bitorder="little")[bits.offset :].astype(bool)


def _group_end(source: str, at: int) -> int:
    """Behind the group that begins at `at`."""
    depth = 0
    while True:
        if source[at] == "\\":
            at += 1
        elif source[at] == "[":
            at = _class_end(source, at) - 1
        elif source[at] == "(":
            depth += 1
        elif source[at] == ")":
            depth -= 1
            if not depth:
                return at + 1
        at += 1


def _class_end(source: str, at: int) -> int:
    """Behind the class of characters that begins at `at`; a bracket right at its beginning is one of them."""
    at += 2 if source[at + 1] == "^" else 1
    at += source[at] == "]"
    while source[at] != "]":
        at += 2 if source[at] == "\\" else 1
    return at + 1


_WIDER = {"\\w": r"\w\x80-\xff", "\\d": r"\d\x80-\xff", "\\s": r"\s\x80-\xff"}
"""To `re` these are letters, digits and blanks of any script; RE2 looks at bytes."""


def _escape(two: str) -> str:
    return f"[{_WIDER[two]}]" if two in _WIDER else two


def _letters(members: str) -> str:
    """A class of characters; what is left out of one stays as narrow as it is, so that it finds more."""
    if members.startswith("[^"):
        return members
    return re.sub(r"\\.", lambda found: _WIDER.get(found[0], found[0]), members)
