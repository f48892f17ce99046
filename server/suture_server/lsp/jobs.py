"""Jobs: repairs that somebody asked for, side by side up to a limit, with progress that can be cancelled.

Asking for the same problem twice joins the job that runs. A job ends in an offer or in an honest message, and never in an edit.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import logging
import time
from typing import TYPE_CHECKING, Literal

from lsprotocol import types

from suture_agent.journal.kinds import Shown
from suture_server.lsp.client import Progress
from suture_server.lsp.worker_client import WorkerRefused
from suture_server.worker import wire

if TYPE_CHECKING:
    from suture_server.lsp.root import Root

logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
"""How often the elapsed time is told."""
FIRST_PATIENCE, MOST_PATIENCE = 5.0, 300.0
"""Seconds before a policy that was down is tried again: doubled every time."""


class Job:
    """One repair, waiting or running."""

    def __init__(self, identifier: str, mark: str, wanted: wire.Wanted, title: str, *, background: bool) -> None:
        self.id = identifier
        self.mark = mark
        self.wanted = wanted
        self.title = title
        self.background = background
        self.state: Literal["queued", "running"] = "queued"
        self.phase = "waiting for its turn"
        self.step = 0
        self.tool = ""
        self.started = time.monotonic()
        self.generation = -1
        """Of the texts and files that it works on."""
        self.task: asyncio.Task[wire.Repaired | None] | None = None

    def said(self) -> str:
        """What it is doing, in one line."""
        parts = [self.phase]
        if self.step:
            parts.append(f"step {self.step}")
        if self.tool:
            parts.append(self.tool)
        return " · ".join([*parts, f"{time.monotonic() - self.started:.0f} s"])


class PolicyState:
    """Whether the policy answers. While it is down, asking waits longer every time."""

    def __init__(self) -> None:
        self.state: Literal["unknown", "ready", "down"] = "unknown"
        self.reason = ""
        self._patience = FIRST_PATIENCE
        self._again = 0.0

    def down(self, reason: str) -> bool:
        """It did not answer; whether that is news."""
        news = self.state != "down"
        self.state, self.reason = "down", reason
        self._again = time.monotonic() + self._patience
        self._patience = min(2 * self._patience, MOST_PATIENCE)
        return news

    def ready(self) -> None:
        """It answered."""
        self.state, self.reason, self._patience = "ready", "", FIRST_PATIENCE

    @property
    def seconds_left(self) -> float:
        """How long it is not to be asked; 0 where it may be."""
        return max(0.0, self._again - time.monotonic()) if self.state == "down" else 0.0


class Jobs:
    """The jobs of one workspace."""

    def __init__(self, root: Root) -> None:
        self.policy = PolicyState()
        self._root = root
        self._jobs: dict[str, Job] = {}
        self._by_id: dict[str, Job] = {}
        self._numbers = itertools.count(1)
        self._free = asyncio.Condition()
        self._probing: asyncio.Task[None] | None = None
        self.tried: set[str] = set()
        """Marks that were worked on without a fix, so that background work leaves them alone."""
        self.episodes: dict[str, str] = {}
        """Mark -> its newest episode in the journal."""

    @property
    def running(self) -> int:
        """How many run."""
        return sum(job.state == "running" for job in self._jobs.values())

    @property
    def queued(self) -> int:
        """How many wait."""
        return sum(job.state == "queued" for job in self._jobs.values())

    def of(self, mark: str) -> Job | None:
        """The job for a problem."""
        return self._jobs.get(mark)

    def start(self, mark: str, wanted: wire.Wanted, title: str, *, background: bool = False) -> tuple[Job, str]:
        """Start or queue a job, or join the one that there is; returns it with `started`, `queued` or `joined`."""
        known = self._jobs.get(mark)
        if known is not None:
            known.background = known.background and background
            return known, "joined"
        job = Job(f"{self._root.path.name}-{next(self._numbers)}", mark, wanted, title, background=background)
        self._jobs[mark] = self._by_id[job.id] = job
        job.task = asyncio.get_running_loop().create_task(self._run(job))
        job.task.add_done_callback(lambda _done: self._forget(job))  # one that is cancelled at once never begins
        return job, "queued" if len(self._jobs) > self._limit else "started"

    async def cancel(self, identifier: str | None = None, *, background: bool = False) -> int:
        """Cancel one job, or all, or all that nobody waits for; returns how many. They are dead on return."""
        chosen = [
            job for job in self._by_id.values() if (identifier is None or job.id == identifier) and (job.background or not background)
        ]
        tasks = [job.task for job in chosen if job.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return len(tasks)

    def heard(self, event: wire.Step) -> None:
        """A job says what it does."""
        job = self._by_id.get(event.job)
        if job is not None:
            job.phase = event.phase or job.phase
            job.step = event.step or job.step
            job.tool = event.tool

    @property
    def _limit(self) -> int:
        told = self._root.worker.told
        return told.parallel if told is not None else 1

    async def _run(self, job: Job) -> wire.Repaired | None:
        """Wait for a turn, repair, and say what came of it."""
        root = self._root
        task = asyncio.current_task()
        assert task is not None
        progress = ticking = None
        said = "cancelled"
        try:
            if not job.background:
                progress = await root.client.progress(job.title, functools.partial(_cancel, task))
                root.session.show_progress(progress)
                ticking = asyncio.get_running_loop().create_task(self._tick(job, progress))
            await root.ensure()  # it says how many may run at once
            await self._turn(job)
            root.tell_status()
            done = await self._repair(job)
            said = await self._concluded(job, done)
            return done
        except WorkerRefused as error:
            said = self._refused(job, error)
            return None
        finally:
            self._forget(job)
            if ticking is not None:
                ticking.cancel()
            if progress is not None:
                root.session.hide_progress(progress)
                progress.end(said)
            await asyncio.shield(self._freed())
            root.tell_status()

    def _forget(self, job: Job) -> None:
        """It is over; another one may be there for the same problem already."""
        if self._jobs.get(job.mark) is job:
            del self._jobs[job.mark]
        self._by_id.pop(job.id, None)

    async def _turn(self, job: Job) -> None:
        async with self._free:
            await self._free.wait_for(lambda: self.running < self._limit)
            job.state, job.started = "running", time.monotonic()

    async def _freed(self) -> None:
        async with self._free:
            self._free.notify_all()

    async def _repair(self, job: Job) -> wire.Repaired:
        root = self._root
        generation = job.generation = await root.checking.sync()
        shown: Shown = "action" if job.background else "notification" if root.client.options.offers else "message"

        def asked(number: int) -> wire.Repair:
            return wire.Repair(id=number, job=job.id, generation=generation, wanted=job.wanted, shown=shown, background=job.background)

        return await root.worker.ask(wire.Repaired, asked)

    async def _tick(self, job: Job, progress: Progress) -> None:
        while True:
            waiting = f" ({self.queued} waiting)" if job.state == "queued" and self.queued > 1 else ""
            progress.report(job.said() + waiting)
            await asyncio.sleep(TICK_SECONDS)

    async def _concluded(self, job: Job, done: wire.Repaired) -> str:
        """What came of it: an offer, or a message that says why not."""
        root = self._root
        if done.episode:
            self.episodes[job.mark] = done.episode
        if done.policy_down:
            self._policy_down(done.reason)
            return _failure(done)
        if done.outcome != "infrastructure":
            self.policy.ready()
        if done.offer is not None:
            moved = root.checking.generation != job.generation
            offer = await root.offers.add(done.offer, show=not job.background, moved=moved)
            root.decisions.shown(offer)
            return "proven, and proven again since something has changed" if moved else "proven: to be applied or dismissed"
        self.tried.add(job.mark)
        text = _failure(done)
        if not job.background:
            root.later(self._explain(text, done))
        return text

    async def _explain(self, text: str, done: wire.Repaired) -> None:
        """Say why there is no fix; what was tried is one choice away."""
        client = self._root.client
        if not done.episode:
            client.show(f"Fix with agent: {text}", types.MessageType.Warning)
        elif await client.choose(f"Fix with agent: {text}", "Show episode") == "Show episode":
            await self._root.show_episode(done.episode)

    def _refused(self, job: Job, error: WorkerRefused) -> str:
        if error.kind == "policy":
            self._policy_down(str(error))
        elif error.kind != "gone" and not job.background:
            self._root.client.show(f"Fix with agent: {error}", types.MessageType.Warning)
        return str(error)

    def _policy_down(self, reason: str) -> None:
        """One message, however many episodes it took down; it is asked again by and by."""
        if self.policy.down(reason):
            self._root.client.show(f"suture: the policy does not answer: {reason}", types.MessageType.Warning)
        self._probe_later()

    def _probe_later(self) -> None:
        """Ask again after a while, so that actions come back by themselves."""
        if self._probing is None or self._probing.done():
            self._probing = asyncio.get_running_loop().create_task(self._probe())
            self._root.keep(self._probing)

    async def _probe(self) -> None:
        while self.policy.state == "down":
            await asyncio.sleep(self.policy.seconds_left)
            try:
                await self._root.worker.ask(wire.Done, lambda number: wire.Probe(id=number))
            except WorkerRefused as error:
                if error.kind != "policy":
                    return
                self.policy.down(str(error))
            else:
                self.policy.ready()
                self._root.client.log("suture: the policy answers again")
            self._root.tell_status()


def _cancel(task: asyncio.Task[object]) -> None:
    task.cancel()


def _failure(done: wire.Repaired) -> str:
    """Why there is no fix, in one line."""
    if done.outcome == "flaky":
        return f"nothing to fix: {done.reason}"
    if done.outcome == "gone":
        return "nothing to fix: the failure is gone"
    if done.outcome == "infrastructure":
        return f"could not be tried: {done.reason}"
    tried = f" ({done.steps} requests to the policy, {done.seconds:.0f} s)" if done.steps else ""
    return f"no fix was proven{tried}: {done.reason}"
