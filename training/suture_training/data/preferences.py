"""What people made of fixes, as preferences: rows for KTO, pairs for DPO.

One assistant message a row: TRL's completion mask is all ones, so a tool reply in a completion would be trained; the history stands in the
prompt. A decision is about a whole episode. Where the policy called tools, what is liked or not are the calls that edited, each a row, and
their weights add up to the decision's. That an early edit was good and a later one bad cannot be told from one decision.

How much a decision says (`judgement`), by what became of the offer last:

================================  =========  =======================================================
what became of it                 label      weight
================================  =========  =======================================================
reverted                          bad        1
rejected, or with a correction    bad        1
ignored after it was seen         bad        0.2
accepted, nothing measured later  good       0.5
accepted, at least half is left   good       trust x share that is left
accepted, less than half is left  bad        trust x share that is gone / 2
accepted with edits               as above   half of it
expired, withdrawn, never seen    no row     the text moved, or the checks did: nobody judged the patch
================================  =========  =======================================================

The share that is left is the one that was measured last, and `trust` grows with how long that was after: 0.25 at the first save, 0.5 after
30 seconds, 0.75 after 5 minutes, 1 after 15 minutes or in a commit. These weights are a judgement of ours, not measured; the columns
`decision` and `survived` are there for another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

import msgspec

from suture_agent.journal.offers import Offer, Remains
from suture_agent.policies import Message
from suture_training.data.conversation import Conversation
from suture_training.data.rows import LeftOut, Origin, Preference

TRUST: Mapping[str, float] = {"save": 0.25, "30s": 0.5, "5min": 0.75, "15min": 1.0, "commit": 1.0}
"""Moment -> how much the share that is left says then."""
NOT_MEASURED = 0.5
IGNORED = 0.2
ENOUGH = 0.5
"""Share of an accepted patch from which it counts as kept."""
_NO_DECISION = ("expired", "withdrawn")
_EDITED = ("edited ", "created ")
_KEPT = "\nkept your change of "
"""How edit_file and run_shell begin to say that they edited."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What a person's decision says about a fix."""

    label: bool
    weight: float
    decision: str
    survived: float | None = None
    offer: Offer


def judgement(offers: Sequence[Offer]) -> Judgement | None:
    """What became of a patch in the end, over all times that it was offered; None where nobody judged it."""
    for offer in reversed(offers):
        decided = [each.kind for each in offer.decisions if each.kind not in _NO_DECISION]
        if decided:
            return _judged(decided[-1], offer)
    return None


def _judged(kind: str, offer: Offer) -> Judgement:
    if not kind.startswith("accepted"):
        return Judgement(label=False, weight=IGNORED if kind == "ignored" else 1.0, decision=kind, offer=offer)
    last = _latest(offer.survivals)
    part = 0.5 if kind == "accepted_with_edits" else 1.0
    if last is None:
        return Judgement(label=True, weight=part * NOT_MEASURED, decision=kind, offer=offer)
    share, trust = last.kept / last.tokens, TRUST[last.moment]
    weight = trust * share if share >= ENOUGH else trust * (1 - share) / 2
    return Judgement(label=share >= ENOUGH, weight=part * weight, decision=kind, survived=share, offer=offer)


def _latest(measured: Sequence[Remains]) -> Remains | None:
    """What was measured last; a patch of white space alone has no tokens to be left."""
    known = [each for each in measured if each.tokens and each.moment in TRUST]
    return max(known, key=lambda each: (TRUST[each.moment], each.created), default=None)


def preferences_of(talk: Conversation, judged: Judgement, origin: Origin, patch: str) -> Iterator[Preference]:
    """The rows of one decision. Raises LeftOut where no message of the conversation edited anything."""
    places = edits_in(talk)
    if not places:
        raise LeftOut("no message of it edited anything")
    for place in places:
        yield Preference(
            origin=msgspec.structs.replace(origin, decision=judged.decision, survived=judged.survived),
            tools=talk.tools,
            thinking=talk.thinking,
            patch=patch,
            prompt=talk.messages[:place],
            completion=talk.messages[place],
            label=judged.label,
            weight=judged.weight / len(places),
        )


def edits_in(talk: Conversation) -> tuple[int, ...]:
    """Indices of the messages that made the patch: the calls that edited; without tools the last answer, which is the edit."""
    if not talk.tools:
        return (len(talk.messages) - 1,)
    return tuple(
        number
        for number, message in enumerate(talk.messages)
        if message.role == "assistant" and any(map(_has_edited, _replies(talk.messages, number)))
    )


def _replies(messages: Sequence[Message], number: int) -> Iterator[Message]:
    return takewhile(lambda each: each.role == "tool", messages[number + 1 :])


def _has_edited(reply: Message) -> bool:
    return (reply.name == "edit_file" and reply.content.startswith(_EDITED)) or (reply.name == "run_shell" and _KEPT in reply.content)
