"""Fixes that a person took and kept: to be imitated whole, or as answers that are good."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from suture_agent.journal.bulk import Choice, Reader
from suture_training.data.conversation import Conversation, Finished
from suture_training.data.figures import Tally
from suture_training.data.preferences import Judgement, preferences_of
from suture_training.data.rows import Episode, LeftOut, Preference
from suture_training.data.sources.journal import decided
from suture_training.data.sources.proven import episode_of


def episodes(reader: Reader, choice: Choice, tally: Tally) -> Iterator[Episode]:
    """One row for each accepted fix."""
    for done, talk, judged in _kept(reader, choice, tally):
        yield episode_of(talk, done.origin, done.patch, judged)


def preferences(reader: Reader, choice: Choice, tally: Tally) -> Iterator[Preference]:
    """A good answer for each message that made an accepted fix."""
    for done, talk, judged in _kept(reader, choice, tally):
        try:
            yield from preferences_of(talk, judged, done.origin, done.patch)
        except LeftOut as reason:
            tally.leave(str(reason))


def _kept(reader: Reader, choice: Choice, tally: Tally) -> Iterator[tuple[Finished, Conversation, Judgement]]:
    for done, talk, judged in decided(reader, msgspec.structs.replace(choice, decided=True), "accepted", tally):
        if judged.label:
            yield done, talk, judged
