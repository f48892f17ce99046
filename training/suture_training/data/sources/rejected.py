"""Fixes that a person turned down, took back or hardly kept: answers that are bad. Nothing here is to be imitated."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from suture_agent.journal.bulk import Choice, Reader
from suture_training.data.figures import Tally
from suture_training.data.preferences import preferences_of
from suture_training.data.rows import LeftOut, Preference
from suture_training.data.sources.journal import decided


def preferences(reader: Reader, choice: Choice, tally: Tally) -> Iterator[Preference]:
    """A bad answer for each message that made such a fix."""
    for done, talk, judged in decided(reader, msgspec.structs.replace(choice, decided=True), "rejected", tally):
        if judged.label:
            continue
        try:
            yield from preferences_of(talk, judged, done.origin, done.patch)
        except LeftOut as reason:
            tally.leave(str(reason))
