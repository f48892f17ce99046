"""Running a workspace's checks while it is edited, and showing what they find."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types

from suture_sandbox.findings import Finding
from suture_server.lsp.documents import Document, Edit
from suture_server.lsp.findings import Findings
from suture_server.lsp.worker_client import WorkerRefused
from suture_server.worker import wire

if TYPE_CHECKING:
    from suture_server.lsp.root import Root

logger = logging.getLogger(__name__)

MOST_REMEMBERED = 16
"""Generations whose document versions are kept, for checks that are on their way."""


class Checking:
    """The checks of one workspace: when they run, and what they said last."""

    def __init__(self, root: Root, changed: Callable[[set[str]], None], settled: Callable[[], None]) -> None:
        self.findings = Findings()
        self.generation = 0
        """Grows with every change of a text or a file."""
        self.checked = -1
        """The generation that the findings belong to."""
        self.running: set[str] = set()
        """Names of the checks that run at the moment."""
        self.broken: dict[str, str] = {}
        """Checks that the sandbox could not run, and why."""
        self.passed: set[str] = set()
        """Checks that passed, perhaps with warnings."""
        self._root = root
        self._changed = changed
        self._settled = settled
        self._found: defaultdict[tuple[int, str], list[Finding]] = defaultdict(list)
        self._versions: dict[int, dict[str, tuple[Document, int]]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._syncing = asyncio.Lock()

    def touch(self) -> None:
        """Something changed that a check could see."""
        self.generation += 1

    def schedule(self, delay: float) -> None:
        """Run the checks after a while without another call; what runs for an older text is ended.

        The workspace is opened for it, and where it says that checks run only when asked for, that is all.
        """
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(delay, self._begin)

    async def run(self) -> None:
        """Run the checks now, on the present text. Raises WorkerRefused."""
        generation = await self.sync()
        await self._root.worker.ask(wire.Checked, lambda number: wire.Check(id=number, generation=generation))

    async def sync(self) -> int:
        """Tell the worker the present texts, and remember which versions they have; returns the generation."""
        await self._root.ensure()
        async with self._syncing:
            generation = self.generation
            documents = self._root.buffers.documents
            self._versions[generation] = {path: (document, document.sequence) for path, document in documents.items()}
            for old in sorted(self._versions)[:-MOST_REMEMBERED]:
                del self._versions[old]
            self._root.worker.say(await self._root.buffers.news())
        return generation

    def heard(self, event: wire.FromWorker) -> None:
        """Take an event of a check."""
        if isinstance(event, wire.Started):
            self.running.add(event.check)
            self._found.pop((event.generation, event.check), None)
            self._root.tell_status()
        elif isinstance(event, wire.Found):
            self._found[event.generation, event.check].extend(event.findings)
        elif isinstance(event, wire.Ended):
            self._ended(event)
            self._root.tell_status()
        elif isinstance(event, wire.Settled) and event.generation >= self.checked:
            self.checked = event.generation
            self._settled()

    def edited(self, path: str, edit: Edit) -> None:
        """Findings go with the text until the next run."""
        self.findings.move(path, edit)

    def opened(self, checks: tuple[wire.CheckInfo, ...]) -> None:
        """The workspace has these checks now."""
        self._changed(self.findings.keep(check.name for check in checks))

    def clear(self) -> None:
        """Forget everything, and end what runs."""
        self.stop()
        self._changed(self.findings.clear())

    def stop(self) -> None:
        """End what runs or waits to run."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self.running.clear()

    def _begin(self) -> None:
        self._timer = None
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._quietly())

    async def _quietly(self) -> None:
        """Run the checks that nobody asked for, where there are to be such; what keeps them from running is shown once."""
        try:
            opened = await self._root.ensure()
            if opened.behaviour.check_on != "manual":
                await self.run()
        except WorkerRefused as error:
            if error.kind != "gone":
                self._root.calm(f"suture cannot run the checks of {self._root.path.name}: {error}", until_open=True)
        finally:
            self._root.tell_status()

    def _ended(self, event: wire.Ended) -> None:
        self.running.discard(event.check)
        found = self._found.pop((event.generation, event.check), [])
        if event.status == "infrastructure":
            self.broken[event.check] = event.reason
            self._root.calm(f"suture cannot run the check {event.check}: {event.reason}", types.MessageType.Warning)
            return
        self.broken.pop(event.check, None)
        (self.passed.add if event.status == "passed" else self.passed.discard)(event.check)
        changed = self.findings.replace(event.check, found, self._versions.get(event.generation, {}))
        self.findings.group(event.check, event.problems)
        self._changed(changed)
