"""From a finished episode to the conversation that is learnt from.

An episode's last request shows all that its answer depended on. For the presets `agent` and `line`, which append, that is the whole
conversation; for `direct`, whose requests are independent, it is the request that was answered rightly. The pipeline `full` may have had
several conversations: those whose edits were kept are rows too, those that were reverted are not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from suture_agent.journal.stored import StoredPatch, StoredRequest
from suture_agent.journal.talks import Talk
from suture_agent.policies import Choice, Message, ToolSchema
from suture_training.data.rows import LeftOut, Origin
from suture_training.data.winner import winner

FENCE = "```"
_ERRORS = ("error:", "not accepted:")
"""How the harness begins what it answers to a call that could not be carried out, or to a submission that was refused."""


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """An episode that has ended, from the journal or from a run."""

    origin: Origin
    reason: str
    """Why it was not fixed; for a fix, where the patch came from when no policy wrote it."""
    talk: Talk | None
    patch: str
    edits: Callable[[], StoredPatch | None]
    """Reads the patch's texts; few rows need them."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that end with an answer of the policy."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...]
    masked: tuple[int, ...]
    prefill: str
    thinking: bool


def conversation_of(done: Finished) -> Conversation:
    """The conversation behind a fix. Raises LeftOut where no policy wrote it, or where it is not known what the policy wrote."""
    if done.origin.outcome != "fixed":
        raise LeftOut("not fixed")
    if done.reason:
        raise LeftOut("no policy wrote the patch")
    talk = done.talk
    if talk is None:
        raise LeftOut("no conversation was kept")
    request = talk.request
    choice = _answer(request, done)
    if choice.finish == "length":
        raise LeftOut("the answer was cut off")
    answer = Message(role="assistant", content=_closed(request, choice.text), tool_calls=choice.tool_calls, reasoning=choice.reasoning)
    return Conversation(
        messages=(*talk.messages, answer),
        tools=talk.tools,
        masked=erroneous(talk.messages),
        prefill=request.prefill,
        thinking=request.thinking,
    )


def erroneous(messages: Sequence[Message]) -> tuple[int, ...]:
    """The assistant's messages that were answered by an error, a refusal, or, where they called no tool, by being told so."""
    found: dict[int, None] = {}
    last, called = -1, False
    for number, message in enumerate(messages):
        if message.role == "assistant":
            last, called = number, bool(message.tool_calls)
        elif last >= 0 and (message.content.startswith(_ERRORS) if message.role == "tool" else message.role == "user" and not called):
            found[last] = None
    return tuple(found)


def _answer(request: StoredRequest, done: Finished) -> Choice:
    """The answer that became the patch: where several were drawn, the one whose code stands in the patched text."""
    if len(request.choices) == 1:
        return request.choices[0]
    edits = done.edits()
    found = None if edits is None else winner([choice.text for choice in request.choices], request.prefill, edits)
    if found is None:
        raise LeftOut("it is not known which answer it was")
    return request.choices[found]


def _closed(request: StoredRequest, text: str) -> str:
    """The whole answer; a fence that ended it is a stop sequence, which servers take off."""
    whole = request.prefill + text
    if FENCE in request.stop and whole.count(FENCE) % 2:
        return f"{whole if whole.endswith(chr(10)) else whole + chr(10)}{FENCE}"
    return whole
