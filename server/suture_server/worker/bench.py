"""Checking the present text: the disk with the editor's buffers over it. The newest request wins."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping

import msgspec

from suture_agent.impact.maps import Maps
from suture_agent.problem import Problem, problems_in
from suture_agent.workspace import Workspace
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.errors import PatchError
from suture_sandbox.sandbox import together
from suture_sandbox.snapshot import Snapshot
from suture_server.worker import wire

IDLE_SECONDS = 3.0
"""Without a check before maps of impact are made."""


class Bench:
    """The last results, and how to get new ones."""

    def __init__(
        self,
        workspace: Workspace,
        maps: Maps,
        send: Callable[[object], None],
        buffers: Callable[[], Mapping[str, bytes]],
        *,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self.workspace = workspace
        self._maps = maps
        self._idle_seconds = idle_seconds
        self.results: tuple[CheckResult, ...] = ()
        self.problems: dict[str, Problem] = {}
        self.generation = -1
        self._send = send
        self._buffers = buffers
        self._running: tuple[int, asyncio.Task[wire.Checked]] | None = None
        self._warming: asyncio.Task[None] | None = None
        self._mapping: asyncio.Task[None] | None = None

    def snapshot(self) -> Snapshot:
        """The present text. A buffer of what no attempt may hold (a link, git's own files) is left out."""
        snapshot = Snapshot(self.workspace.root)
        kept: dict[str, bytes | None] = {}
        for path, content in self._buffers().items():
            with contextlib.suppress(PatchError):
                snapshot.check_path(path)
                kept[path] = content
        return snapshot.with_edits(kept)

    async def check(self, generation: int) -> wire.Checked:
        """Run all checks, and end those of an older generation. Cancelling ends the run, unless another request waits for it too."""
        running = self._running
        if running is not None and not running[1].done() and running[0] == generation:
            return await asyncio.shield(running[1])
        if running is not None:
            running[1].cancel()
            await asyncio.gather(running[1], return_exceptions=True)
        task = asyncio.get_running_loop().create_task(self._check(generation))
        self._running = (generation, task)
        try:
            return await task
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise

    async def newest(self, generation: int) -> None:
        """Have results of at least that generation. A newer check that ends this one is waited for."""
        while self.generation < generation:
            try:
                await self.check(generation)
            except asyncio.CancelledError:
                task = asyncio.current_task()
                newer = self._running
                if (task is not None and task.cancelling()) or newer is None or newer[0] < generation:
                    raise
                await asyncio.wait([newer[1]])

    async def close(self) -> None:
        """End what runs."""
        for beside in (self._warming, self._mapping):
            if beside is not None:
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)
        if self._running is not None:
            self._running[1].cancel()
            await asyncio.gather(self._running[1], return_exceptions=True)

    async def _check(self, generation: int) -> wire.Checked:
        started = time.monotonic()
        if self._mapping is not None:
            self._mapping.cancel()
        snapshot = await asyncio.to_thread(self.snapshot)
        checks = self.workspace.sandbox.environment.checks
        results = await together(self._one(generation, check, snapshot) for check in checks)
        problems = await asyncio.to_thread(problems_in, snapshot, results)  # once more: each problem holds all results
        self.results, self.generation = results, generation
        self.problems = {problem.mark: problem for problem in problems}
        self._send(wire.Settled(generation=generation))
        if problems:
            self._warming = asyncio.get_running_loop().create_task(self.workspace.sandbox.warm_up(snapshot))
        self._mapping = asyncio.get_running_loop().create_task(self._map(snapshot, results))
        return wire.Checked(generation=generation, seconds=time.monotonic() - started)

    async def _map(self, snapshot: Snapshot, results: tuple[CheckResult, ...]) -> None:
        """Note which tests run what, once nothing has been checked for a while; the next check ends it."""
        await self._maps.load(results)
        await asyncio.sleep(self._idle_seconds)
        await self._maps.keep_up(snapshot, results)

    async def _one(self, generation: int, check: Check, snapshot: Snapshot) -> CheckResult:
        self._send(wire.Started(generation=generation, check=check.name))
        result = await self.workspace.sandbox.check(check, snapshot)
        problems = await asyncio.to_thread(problems_in, snapshot, (result,))
        for first in range(0, len(result.findings), wire.PIECE):
            piece = tuple(msgspec.structs.replace(each, detail="") for each in result.findings[first : first + wire.PIECE])
            self._send(wire.Found(generation=generation, check=check.name, findings=piece))
        self._send(
            wire.Ended(
                generation=generation,
                check=check.name,
                status=result.status,
                reason=result.reason,
                seconds=result.seconds,
                findings=len(result.findings),
                problems=_told(result, problems),
            )
        )
        return result


def _told(result: CheckResult, problems: tuple[Problem, ...]) -> tuple[wire.ProblemInfo, ...]:
    """The problems of a check with their findings as indices, since the findings have been sent already."""
    places = {id(finding): index for index, finding in enumerate(result.findings)}
    return tuple(
        wire.ProblemInfo(mark=problem.mark, findings=tuple(places[id(finding)] for finding in problem.findings)) for problem in problems
    )
