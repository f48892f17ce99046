"""What people wrote instead of a fix that they rejected, proven like any other: to be imitated, or beside the policy's own as a pair."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from suture_agent.journal.bulk import Choice, Reader
from suture_training.data.conversation import Conversation, Finished
from suture_training.data.corrections import Correction, correction_of
from suture_training.data.figures import Tally
from suture_training.data.rows import Episode, LeftOut, Pair
from suture_training.data.sources.journal import decided


def episodes(reader: Reader, choice: Choice, tally: Tally) -> Iterator[Episode]:
    """A conversation up to the policy's mistake, with the person's answer; only that is learnt from."""
    for done, talk, own, patch in _corrected(reader, choice, tally):
        before = talk.messages[: own.at]
        yield Episode(
            origin=done.origin,
            tools=talk.tools,
            thinking=talk.thinking,
            patch=patch,
            messages=(*before, own.answer),
            masked=tuple(number for number, message in enumerate(before) if message.role == "assistant"),
            prefill=talk.prefill if own.answer.content.startswith(talk.prefill) else "",
        )


def pairs(reader: Reader, choice: Choice, tally: Tally) -> Iterator[Pair]:
    """The person's answer and the policy's, to the same prompt."""
    for done, talk, own, patch in _corrected(reader, choice, tally):
        yield Pair(
            origin=done.origin,
            tools=talk.tools,
            thinking=talk.thinking,
            patch=patch,
            prompt=talk.messages[: own.at],
            chosen=own.answer,
            rejected=talk.messages[own.at],
        )


def _corrected(reader: Reader, choice: Choice, tally: Tally) -> Iterator[tuple[Finished, Conversation, Correction, str]]:
    """Episodes with the person's answer, and the diff of the person's fix."""
    for done, talk, judged in decided(reader, msgspec.structs.replace(choice, decided=True), "corrections", tally):
        if judged.decision != "rejected_with_correction":
            continue
        offered = done.edits()
        own = next((each.edits for each in reversed(judged.offer.decisions) if each.kind == judged.decision), None)
        try:
            if offered is None or own is None:
                raise LeftOut("no text of the correction was kept")
            correction = correction_of(talk, offered, own)
        except LeftOut as reason:
            tally.leave(str(reason))
            continue
        origin = msgspec.structs.replace(done.origin, decision=judged.decision)
        yield msgspec.structs.replace(done, origin=origin), talk, correction, own.patch().diff()
