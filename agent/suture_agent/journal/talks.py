"""The conversation of an episode's last request, read without the rest: what a bulk reader wants of the turns that the journal keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from suture_agent.errors import JournalError
from suture_agent.journal.blobs import Unpacker
from suture_agent.journal.stored import StoredRequest, StoredTurns
from suture_agent.policies import Message, ToolSchema

Packed = tuple[str, bytes, int]
"""A blob as it lies in the journal: name, data, size."""
MOST_TOOLS = 64
"""Sets of tools that are remembered; a harness has one."""


class Talk(msgspec.Struct, frozen=True, kw_only=True):
    """The last request to the policy, with all that it shows: of a conversation that is everything but the last answer's effect."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    request: StoredRequest


class _Turns(msgspec.Struct, frozen=True, kw_only=True):
    """As `StoredTurns`, most of it left packed: of many requests only the last one is wanted, and all episodes share their tools."""

    messages: tuple[msgspec.Raw, ...] = ()
    tools: msgspec.Raw = msgspec.Raw(b"[]")
    turns: tuple[msgspec.Raw, ...] = ()


class _Step(msgspec.Struct, frozen=True):
    """Of a step of the outer loop, what is wanted."""

    outcome: str
    turns: tuple[int, int] = (0, 0)


class _Course(msgspec.Struct, frozen=True):
    steps: tuple[_Step, ...] = ()


class Talks:
    """Reads conversations; equal tools become one and the same tuple. For one thread."""

    def __init__(self) -> None:
        self._turns = Unpacker(_Turns)
        self._courses = Unpacker(_Course)
        self._message = msgspec.json.Decoder(Message).decode
        self._request = msgspec.json.Decoder(StoredRequest).decode
        self._tools: dict[bytes, tuple[ToolSchema, ...]] = {}

    def read(self, turns: Packed, course: Packed | None = None) -> tuple[Talk, ...]:
        """The conversation in a blob, then those of the course's steps whose edits were kept; empty where the policy was never asked."""
        found = self._turns.unpack(*turns)
        steps = self._courses.unpack(*course).steps if course is not None else ()
        stretches = [(0, len(found.turns)), *(step.turns for step in steps if step.outcome == "kept")]
        try:
            tools = self._tools_of(bytes(found.tools))
            return tuple(talk for start, end in stretches if (talk := self._talk(found, tools, found.turns[start:end])) is not None)
        except (msgspec.DecodeError, IndexError) as error:
            raise JournalError(f"a conversation cannot be read: {error}", remedy="use the suture that wrote it") from error

    def _talk(self, found: _Turns, tools: tuple[ToolSchema, ...], turns: Sequence[msgspec.Raw]) -> Talk | None:
        request = last_request(map(self._request, reversed(turns)))
        if request is None:
            return None
        messages = tuple([self._message(found.messages[number]) for number in request.messages])
        whole = len(request.tools) == len(tools)
        return Talk(messages=messages, tools=tools if whole else tuple(tools[number] for number in request.tools), request=request)

    def _tools_of(self, raw: bytes) -> tuple[ToolSchema, ...]:
        tools = self._tools.get(raw)
        if tools is None:
            if len(self._tools) >= MOST_TOOLS:
                self._tools.clear()
            tools = self._tools[raw] = msgspec.json.decode(raw, type=tuple[ToolSchema, ...])
        return tools


def talks_of(turns: StoredTurns, kept: Iterable[tuple[int, int]] = ()) -> tuple[Talk, ...]:
    """The same of a whole conversation in memory; `kept`: where the requests of steps lie whose edits were kept."""
    found = [last_request(reversed(turns.turns[start:end])) for start, end in ((0, len(turns.turns)), *kept)]
    return tuple(
        Talk(
            messages=tuple(turns.messages[number] for number in request.messages),
            tools=tuple(turns.tools[number] for number in request.tools),
            request=request,
        )
        for request in found
        if request is not None
    )


def last_request(backwards: Iterable[StoredRequest]) -> StoredRequest | None:
    """The last request of the policy itself: a judge may have been asked after it."""
    return next((request for request in backwards if request.by == "policy"), None)
