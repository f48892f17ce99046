"""Failures that this machine's journal has seen mended: the fix stands in the workspace, and taking it out makes the task.

Only what the journal kept as text and took no secret out of can be used, and only what a person did not reject. Where the text has moved
on since, the fix is taken out of the present text, or the candidate is dropped where that cannot be told.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Sequence

from suture_agent.journal.fixes import ProvenFix
from suture_sandbox.errors import MergeConflict, PatchError
from suture_sandbox.merge import moved
from suture_sandbox.patch import FileEdit, Patch
from suture_sandbox.snapshot import Snapshot
from suture_training.tasks.archive import File, Files
from suture_training.tasks.candidate import Candidate, Dropped, Proposal
from suture_training.tasks.task import Edit, Origin


class Journalled:
    """The fixes of one workspace in the journal, newest first."""

    def __init__(self, fixes: Sequence[ProvenFix], healthy: Snapshot, files: Files, *, repository: str) -> None:
        """`healthy` is the workspace's text as it is in the set; `files` the same as records."""
        self._fixes = fixes
        self._healthy = healthy
        self._files = files
        self._repository = repository

    async def proposals(self) -> AsyncIterator[Proposal]:
        """One candidate a fix."""
        for fix in self._fixes:
            yield self._proposal(fix)

    def _proposal(self, fix: ProvenFix) -> Proposal:
        async def make() -> Candidate:
            return await asyncio.to_thread(self._candidate, fix)

        return Proposal(key=f"journal:{fix.episode}", origin="journal", name=fix.problem, make=make)

    def _candidate(self, fix: ProvenFix) -> Candidate:
        time = dt.datetime.fromtimestamp(fix.created, dt.UTC).isoformat(timespec="seconds")
        origin = Origin(kind="journal", repository=self._repository, name=fix.problem, time=time)
        taken_out = self._moved(_reversed(fix.patch))
        if taken_out.edits:
            return Candidate(origin=origin, broken=_edits(taken_out, after=True), gold=_edits(taken_out, after=False))
        put_in = self._moved(fix.patch)
        if not put_in.edits:
            raise Dropped("unusable", "the fix changes nothing in the present text")
        files = dict(self._files)
        for edit in put_in.edits:
            known = files.pop(edit.path, File(b""))
            if edit.after is not None:
                files[edit.path] = File(edit.after, known.executable)
        return Candidate(origin=origin, broken=_edits(put_in, after=False), gold=_edits(put_in, after=True), files=files)

    def _moved(self, patch: Patch) -> Patch:
        try:
            return moved(patch, self._healthy)
        except (MergeConflict, PatchError) as error:
            raise Dropped("unusable", f"the text has moved on: {error}") from error


def _reversed(patch: Patch) -> Patch:
    return Patch(tuple(FileEdit(path=edit.path, before=edit.after, after=edit.before) for edit in patch.edits))


def _edits(patch: Patch, *, after: bool) -> tuple[Edit, ...]:
    found: list[Edit] = []
    for edit in patch.edits:
        content = edit.after if after else edit.before
        try:
            found.append(Edit(path=edit.path, text=None if content is None else content.decode("utf-8")))
        except UnicodeDecodeError as error:
            raise Dropped("unusable", f"{edit.path} is not UTF-8") from error
    return tuple(found)
