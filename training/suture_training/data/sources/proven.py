"""Proven episodes of the journal: what a policy wrote and a sandbox has shown to be right.

The policy may be the one that is trained, or a stronger one behind any OpenAI-compatible server, whose episodes then teach (distillation):
`Choice.policies` says whose are wanted. What a person turned down or took back afterwards is left out, proven or not.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from suture_agent.journal.bulk import Choice, Reader
from suture_training.data.conversation import Conversation, conversation_of
from suture_training.data.figures import Tally
from suture_training.data.preferences import Judgement, judgement
from suture_training.data.rows import Episode, LeftOut, Origin
from suture_training.data.sources.journal import finished


def episodes(reader: Reader, choice: Choice, tally: Tally) -> Iterator[Episode]:
    """A row for each conversation of each proven episode."""
    for kept in reader.episodes(msgspec.structs.replace(choice, outcome="fixed", decided=False, offers=True)):
        if not kept.passed:
            tally.leave("not proven")
            continue
        judged = judgement(kept.offers)
        if judged is not None and not judged.label and judged.decision != "ignored":
            tally.leave("a person turned it down")
            continue
        for part in range(max(1, len(kept.talks))):
            done = finished(reader, kept, "proven", part=part)
            try:
                yield episode_of(conversation_of(done), done.origin, done.patch, judged)
            except LeftOut as reason:
                tally.leave(str(reason))


def episode_of(talk: Conversation, origin: Origin, patch: str, judged: Judgement | None) -> Episode:
    """The row of a conversation."""
    if judged is not None:
        origin = msgspec.structs.replace(origin, decision=judged.decision, survived=judged.survived)
    return Episode(
        origin=origin,
        tools=talk.tools,
        thinking=talk.thinking,
        patch=patch,
        messages=talk.messages,
        masked=talk.masked,
        prefill=talk.prefill,
    )
