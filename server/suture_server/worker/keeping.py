"""Recording what became of offers, and showing what was recorded."""

from __future__ import annotations

import asyncio

import msgspec

from suture_agent.survival import edited, survival
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.patch import FileEdit, Patch
from suture_server.worker import wire
from suture_server.worker.opened import OpenedWorkspace


class Keeping:
    """The journal as the language server uses it."""

    def __init__(self, opened: OpenedWorkspace) -> None:
        self._opened = opened

    async def decide(self, asked: wire.Decide) -> wire.Done:
        """Durable on return."""
        own = _own(asked) if asked.texts else None
        await self._opened.recorder.decide(asked.offer, asked.kind, own, source=asked.source, reason=asked.reason)
        return wire.Done()

    async def seen(self, asked: wire.Seen) -> wire.Done:
        """The first time counts."""
        await self._opened.recorder.seen(asked.offer)
        return wire.Done()

    async def survive(self, asked: wire.Survive) -> wire.Left:
        """Measure and record."""
        left = await asyncio.to_thread(survival, asked.patch, asked.texts)
        await self._opened.recorder.survived(asked.offer, asked.moment, left)
        changed = await asyncio.to_thread(edited, asked.patch, asked.texts)
        return wire.Left(thousandths=1000 * left.kept // left.tokens if left.tokens else 1000, edited=changed)

    async def transcript(self, asked: wire.Transcript) -> wire.Text:
        """Raises ConfigurationError where nothing is kept."""
        from suture_agent.journal.queries import show
        from suture_agent.journal.store import Journal
        from suture_agent.workspace import journal_path
        from suture_server.worker.pages import page
        from suture_server.worker.transcripts import markdown

        settings = self._opened.workspace.settings
        if settings.journal.level == "off":
            raise ConfigurationError("the journal is off, so no episode is kept", remedy="set journal.level in your own configuration")

        def read() -> wire.Text:
            journal = Journal.open(journal_path(settings))
            try:
                record = show(journal, asked.episode)
            finally:
                journal.close()
            return wire.Text(title=f"suture episode {record.line.id}", text=markdown(record), page=page(record))

        return await asyncio.to_thread(read)

    async def episodes(self, asked: wire.Episodes) -> tuple[wire.Episode, ...]:
        """Nothing where nothing is kept."""
        from suture_agent.journal.queries import recent
        from suture_agent.journal.store import Journal
        from suture_agent.workspace import journal_path

        workspace = self._opened.workspace
        if workspace.settings.journal.level == "off":
            return ()

        def read() -> tuple[wire.Episode, ...]:
            journal = Journal.open(journal_path(workspace.settings))
            try:
                lines = recent(journal, limit=asked.limit, workspace=workspace.root)
            finally:
                journal.close()
            return tuple(msgspec.convert(line, wire.Episode, from_attributes=True) for line in lines)

        return await asyncio.to_thread(read)


def _own(asked: wire.Decide) -> Patch:
    """What the person made of the patch: from the text before it to theirs."""
    edits = [FileEdit(path=path, before=asked.before.get(path), after=text) for path, text in sorted(asked.texts.items())]
    return Patch(tuple(edit for edit in edits if edit.before != edit.after))
