"""What all sources in the journal share: episodes as they are kept there, made ready to be told as conversations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from suture_agent.journal.bulk import Choice, Kept, Reader
from suture_training.data.conversation import Conversation, Finished, conversation_of
from suture_training.data.figures import Tally
from suture_training.data.preferences import Judgement, judgement
from suture_training.data.rows import LeftOut, Origin, Source


def finished(reader: Reader, kept: Kept, source: Source, *, part: int = 0) -> Finished:
    """An episode of the journal; `part`: which of its conversations, 0 for the last one."""
    origin = Origin(
        source=source,
        episode=kept.id,
        part=part,
        environment=kept.environment,
        harness=kept.harness,
        policy=kept.policy,
        policy_name=kept.policy_name,
        adapter=kept.adapter,
        problem=kept.problem,
        check=kept.check,
        repository=pseudonym(kept.workspace),
        time=kept.created,
        outcome=kept.outcome,
        steps=kept.steps,
        prompt_tokens=kept.prompt_tokens,
        completion_tokens=kept.completion_tokens,
    )
    return Finished(
        origin=origin,
        reason=kept.reason,
        talk=kept.talks[part] if kept.talks else None,
        patch=kept.diff or "",
        edits=lambda: reader.patch(kept.edits),
    )


def pseudonym(workspace: str) -> str:
    """Tells workspaces apart in a dataset, and is not what the journal calls them: a path can be guessed and hashed."""
    return hashlib.sha256(f"suture dataset {workspace}".encode()).hexdigest()[:16]


def decided(reader: Reader, choice: Choice, source: Source, tally: Tally) -> Iterator[tuple[Finished, Conversation, Judgement]]:
    """Episodes whose fix somebody judged, with the conversation that led to it. Whether it was liked is left to the caller."""
    for kept in reader.episodes(choice):
        judged = judgement(kept.offers)
        if judged is None:
            tally.leave("nobody judged it")
            continue
        done = finished(reader, kept, source)
        try:
            yield done, conversation_of(done), judged
        except LeftOut as reason:
            tally.leave(str(reason))
