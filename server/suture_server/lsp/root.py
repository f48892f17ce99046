"""One workspace folder as the language server holds it: its worker, its checks, its jobs, its offers, its decisions.

A folder inside another one is a workspace of its own; a file belongs to the innermost.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from suture_agent.journal.kinds import DecisionKind, Source
from suture_sandbox.findings import Finding
from suture_server.lsp import convert
from suture_server.lsp.ahead import Ahead
from suture_server.lsp.buffers import Buffers
from suture_server.lsp.checking import Checking
from suture_server.lsp.decisions import Decisions
from suture_server.lsp.documents import Document, Edit
from suture_server.lsp.jobs import Jobs
from suture_server.lsp.offers import Offer, Offers
from suture_server.lsp.publishing import Publisher
from suture_server.lsp.worker_client import UNTRUSTED, WorkerClient, WorkerRefused
from suture_server.worker import wire

if TYPE_CHECKING:
    from suture_server.lsp.client import Client
    from suture_server.lsp.session import Session

logger = logging.getLogger(__name__)

T = TypeVar("T")

HEARTBEAT_SECONDS = 5.0
RECORDING_SECONDS = 1.0
"""How long the end waits for decisions that are being written."""


class Root:
    """A workspace folder."""

    def __init__(self, session: Session, path: Path) -> None:
        self.session = session
        self.path = path
        self.buffers = Buffers(path)
        self.worker = WorkerClient(path, lambda: session.overrides, self._heard, lambda: session.trusted)
        self.publisher = Publisher(self)
        self.checking = Checking(self, self.publisher.changed, self._settled)
        self.jobs = Jobs(self)
        self.offers = Offers(self)
        self.decisions = Decisions(self)
        self.refused = ""
        """Why the workspace cannot be opened, as far as is known."""
        self._opened: wire.Opened | None = None
        self._behaviour = wire.Behaviour()
        self._said: dict[str, bool] = {}
        """Messages that were shown, and whether they may be shown again once the workspace was open."""
        self._restored = False
        self._ahead = Ahead(self)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._recording: set[asyncio.Task[None]] = set()
        self._heart = asyncio.get_running_loop().create_task(self._beat())

    @property
    def client(self) -> Client:
        """Who is spoken to."""
        return self.session.client

    @property
    def drift(self) -> tuple[str, ...]:
        """Where the environment differs from suture.lock."""
        return self._opened.drift if self._opened is not None else ()

    @property
    def checks(self) -> tuple[wire.CheckInfo, ...]:
        """The checks of the workspace, as far as it was opened."""
        return self._opened.checks if self._opened is not None else ()

    def relative(self, path: str) -> str | None:
        """A workspace path for an absolute one; None for what lies elsewhere."""
        try:
            relative = Path(path).relative_to(self.path).as_posix()
        except ValueError:
            return None
        return relative if relative != "." else None

    def shows(self, finding: Finding) -> bool:
        """Whether a finding is shown as a diagnostic."""
        return not finding.path.startswith("/") and self.owns(finding.path)

    def owns(self, path: str) -> bool:
        """Whether a file of this folder lies in no other workspace folder inside it."""
        if len(self.session.roots) == 1:
            return True
        placed = self.session.place(convert.uri_of(self.path / path))
        return placed is None or placed[0] is self

    def unable(self) -> str:
        """Why nothing can be repaired here at the moment; empty where it can."""
        if not self.session.trusted:
            return UNTRUSTED
        if self.refused:
            return self.refused
        if self.drift:
            return f"the environment is not the one in suture.lock ({self.drift[0]}): suture env verify"
        left = self.jobs.policy.seconds_left
        return f"the policy does not answer; it is asked again in {left:.0f} s" if left > 0 else ""

    # Documents

    def folders_changed(self) -> None:
        """Other workspace folders came or went: what lies in them is theirs, or ours again."""
        for relative in [path for path in self.buffers.documents if not self.owns(path)]:
            del self.buffers.documents[relative]
            self._text_changed(relative)
        self.publisher.changed(set(self.checking.findings.paths))

    def open(self, relative: str, document: Document) -> None:
        """A document of the workspace was opened."""
        self.buffers.documents[relative] = document
        self.buffers.touch(relative)
        self.offers.text_changed((relative,))
        if self._opened is None or self.buffers.present(relative) != self.buffers.on_disk(relative):
            self.checking.touch()
            self._check_soon()
        elif self.checking.findings.at(relative):
            self.publisher.changed({relative})

    def change(self, relative: str, edits: list[Edit]) -> None:
        """A document was changed."""
        for edit in edits:
            self.checking.edited(relative, edit)
        self._text_changed(relative)
        if self._behaviour.check_on == "change":
            self._check_soon()

    def save(self, relative: str) -> None:
        """A document was saved."""
        self._text_changed(relative)
        self.decisions.saved(relative)
        if self._behaviour.check_on != "manual":
            self._check_soon()

    def close(self, relative: str) -> None:
        """A document was closed; what was not saved of it is gone."""
        self.buffers.documents.pop(relative, None)
        self._text_changed(relative)
        self.publisher.changed({relative} if self.checking.findings.at(relative) else set())

    def disk_changed(self, paths: tuple[str, ...]) -> None:
        """Files changed on the disk. Of an open one the buffer counts, which its editor changes where it reads the file again."""
        news = [path for path in paths if path not in self.buffers.documents]
        for path in paths:
            self.buffers.touch(path)
        for path in news:
            self._text_changed(path)
        if news and self._behaviour.check_on != "manual":
            self._check_soon()

    def _text_changed(self, relative: str) -> None:
        self.checking.touch()
        self.buffers.touch(relative)
        self.offers.text_changed((relative,))
        self.decisions.text_changed(relative)
        self._ahead.edited()

    # Checks

    def _check_soon(self) -> None:
        if self.session.trusted:
            self.checking.schedule(self._behaviour.delay_ms / 1000)

    async def check(self) -> None:
        """Run the checks now; where newer ones take their place, wait for those. Raises WorkerRefused."""
        self.checking.touch()
        while True:
            try:
                return await self.checking.run()
            except WorkerRefused as error:
                if error.kind != "gone":
                    raise

    def _settled(self) -> None:
        """All checks have run."""
        self.offers.problems_changed()
        self.decisions.checked()
        if not self._restored:
            self._restored = True
            self.later(self._restore())
        self.tell_status()

    async def _restore(self) -> None:
        """Offer again what earlier sessions left open and what holds in the present text."""
        try:
            restored = await self.worker.ask(tuple[wire.Offer, ...], lambda number: wire.Restore(id=number))
        except WorkerRefused as error:
            logger.info("no offers of earlier sessions: %s", error)
            return
        for told in restored:
            if self.offers.of(told.mark) is None:
                self.decisions.shown(await self.offers.add(told, show=False))

    # The worker

    def _heard(self, event: wire.FromWorker) -> None:
        if isinstance(event, wire.Step):
            self.jobs.heard(event)
        elif isinstance(event, wire.Note):
            self.client.log(f"{self.path.name}: {event.text}")
        elif isinstance(event, wire.Changed):
            self._changed(event)
        else:
            self.checking.heard(event)

    def _changed(self, event: wire.Changed) -> None:
        """Something changed on the disk. What our own buffers say already is no news."""
        if event.head:
            self.decisions.head_moved()
        if event.environment:
            self.later(self.reopen())
        self.disk_changed(event.paths)

    async def ensure(self) -> wire.Opened:
        """Have the workspace open. Raises WorkerRefused."""
        try:
            told = await self.worker.opened()
        except WorkerRefused as error:
            if error.kind == "gone" or not self.session.trusted:
                raise
            self.refused = f"the workspace cannot be opened: {error}"
            raise
        self.take(told)
        return told

    def take(self, told: wire.Opened) -> None:
        """The worker has opened the workspace."""
        if told is self._opened:
            return
        first, self._opened, self._behaviour, self.refused = self._opened is None, told, told.behaviour, ""
        self._said = {text: until_open for text, until_open in self._said.items() if not until_open}
        self.buffers.forget()
        self.checking.opened(told.checks)
        for note in told.notes if first else ():
            self.client.log(f"{self.path.name}: {note}")
        for note in told.missing:
            self.calm(f"suture: {self.path.name}: {note}")
        if told.drift:
            self.calm(
                f"suture: the environment of {self.path.name} is not the one in suture.lock: {'; '.join(told.drift[:3])}."
                " Nothing is repaired until `suture env lock` accepts it or it is put back.",
                types.MessageType.Warning,
            )
        if told.first and told.behaviour.notice:
            self.calm(
                f"suture keeps a local journal of repairs and decisions at {told.journal} (level {told.level}). It never leaves this"
                ' machine; journal.level = "off" in your own configuration switches it off, `suture journal erase` removes it.'
            )

    async def reopen(self) -> None:
        """Open the workspace anew: settings, environment or checks may be others."""
        await self.jobs.cancel()
        self.checking.stop()
        await self.worker.end()
        self._opened = None
        self.checking.touch()
        self._check_soon()

    # Telling

    async def record(
        self, offer: Offer, kind: DecisionKind, source: Source, *, reason: str = "", texts: Mapping[str, bytes | None] | None = None
    ) -> None:
        """Put a decision into the journal; durable on return, or a message says that it is not. It is written also where nobody waits."""
        task = asyncio.get_running_loop().create_task(self._record(offer, kind, source, reason, texts))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)
        await asyncio.shield(task)

    async def _record(
        self, offer: Offer, kind: DecisionKind, source: Source, reason: str, texts: Mapping[str, bytes | None] | None
    ) -> None:
        def asked(number: int) -> wire.Decide:
            before = {edit.path: edit.before for edit in offer.patch.edits} if texts else {}
            return wire.Decide(id=number, offer=offer.id, kind=kind, source=source, reason=reason, texts=texts or {}, before=before)

        try:
            await self.worker.ask(wire.Done, asked)
        except WorkerRefused as error:
            self.client.log(f"the decision {kind!r} about the offer {offer.id} was not recorded: {error}", types.MessageType.Warning)

    async def show_episode(self, episode: str) -> wire.Text:
        """The transcript of an episode, shown where the client can show documents. Raises WorkerRefused."""
        text = await self.worker.ask(wire.Text, lambda number: wire.Transcript(id=number, episode=episode))
        await self.show_text(f"{episode}.md", text.text, title=text.title, page=text.page)
        return text

    async def show_text(self, name: str, text: str, *, title: str = "", page: str = "") -> None:
        """Show a text as a document, as a page where the client shows some, or in the log where it cannot."""
        options = self.client.options
        if options.texts:
            more = {"title": title, "page": page} if page and options.pages else {}
            self.client.notify("suture/text", {"name": name, "text": text, **more})
        elif not self.client.can.show_document or not await self.client.open(convert.uri_of(self.session.scratch(name, text))):
            self.client.log(text)

    def calm(self, text: str, kind: types.MessageType = types.MessageType.Info, *, until_open: bool = False) -> None:
        """Show a message, each once; with `until_open` once more when the workspace was open in between."""
        if text not in self._said:
            self._said[text] = until_open
            self.client.show(text, kind)

    def tell_status(self) -> None:
        """Tell editors that ask for it what is going on."""
        if not self.client.options.status:
            return
        self.client.notify(
            "suture/status",
            {
                "root": convert.uri_of(self.path),
                "checking": sorted(self.checking.running),
                "repairing": self.jobs.running,
                "queued": self.jobs.queued,
                "offers": len(self.offers.standing()),
                "problems": sum(self.offers.of(mark) is None for mark in self.checking.findings.problems),
                "policy": self.jobs.policy.state,
                "trusted": self.session.trusted,
                "message": self.unable(),
            },
        )

    # Life

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something beside what goes on."""
        self.keep(asyncio.get_running_loop().create_task(work))

    def keep(self, task: asyncio.Task[Any]) -> None:
        """Hold on to a task until it ends; a failure of its own is logged."""
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def whole(self, work: Coroutine[Any, Any, T]) -> T:
        """Do all of something, also where whoever asked for it no longer waits."""
        task = asyncio.get_running_loop().create_task(work)
        self.keep(task)
        return await asyncio.shield(task)

    async def end(self) -> None:
        """End everything of this workspace; decisions that are on their way are written first."""
        self._heart.cancel()
        self.checking.stop()
        await self.decisions.settle(RECORDING_SECONDS)
        if self._recording:
            await asyncio.wait(self._recording, timeout=RECORDING_SECONDS)
        self.offers.stop()
        self.decisions.stop()
        for task in list(self._tasks):
            task.cancel()
        await self.jobs.cancel()
        self.worker.over = True
        await self.worker.end()
        self.publisher.clear()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("work beside the requests failed", exc_info=task.exception())

    async def _beat(self) -> None:
        """What happens by the clock: the worker's rest, and repairs ahead of time."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            if self.worker.told is not None:
                self.take(self.worker.told)
            if self.worker.pid is not None and self.worker.idle_seconds > 60 * self._behaviour.worker_idle_minutes:
                await self.worker.end()
            self._ahead.look(self._behaviour)
