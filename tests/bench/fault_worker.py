"""The process that the fault bench does things to: it runs jobs through the sandbox as suture does, and says what became of each.

Started by `fault_round`, with its task as JSON on standard input. One JSON line for every job and every attempt, written in one piece, so
that a kill -9 leaves no half of one. The wall clock that suture sees here (`time.time`) is off by what stands in a file that the bench
writes to.
"""

from __future__ import annotations

import asyncio
import faulthandler
import mmap
import os
import random
import signal
import struct
import sys
import time
from pathlib import Path

import msgspec
from fault_jobs import CHECK, EVERY, FILES, Job, Outcome, Proof, judge, judge_proof

from suture_sandbox.backend import Backend, Command, Completed, Probe
from suture_sandbox.backends import default_backend
from suture_sandbox.environment import Environment
from suture_sandbox.errors import InfrastructureError
from suture_sandbox.memo import Memo
from suture_sandbox.patch import patch_between
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_sandbox.verdict import Target, prove


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker is to do."""

    backend: str
    options: dict[str, str | int]
    root: str
    environment: Environment
    memo: str
    clock: str
    seed: int
    attempts: int
    """After so many it takes no further job, and ends by itself."""
    at_once: int


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What it tells."""

    event: str
    """`ready`, `attempt`, `warm` (an attempt that was), `begun` and `done` (a job), or `closed`."""
    number: int = 0
    job: str = ""
    outcome: Outcome = "right"
    why: str = ""


def tell(line: Line) -> None:
    """One line, in one piece."""
    os.write(1, msgspec.json.encode(line) + b"\n")


def bend_clock(path: str) -> None:
    """Let `time.time` and `time.time_ns` be off by the seconds in a file, whatever they are at the moment."""
    with Path(path).open("r+b") as file:
        shared = mmap.mmap(file.fileno(), 8)
    seconds, nanoseconds = time.time, time.time_ns
    time.time = lambda: seconds() + struct.unpack("=d", shared[:8])[0]
    time.time_ns = lambda: nanoseconds() + int(struct.unpack("=d", shared[:8])[0]) * 10**9


class Counted:
    """A backend that tells of every attempt which it is asked for."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.attempts = 0

    @property
    def name(self) -> str:
        return self._backend.name

    async def probe(self) -> Probe:
        return await self._backend.probe()

    async def run(self, snapshot: Snapshot, environment: Environment, command: Command) -> Completed:
        self.attempts += 1
        tell(Line(event="attempt"))
        done = await self._backend.run(snapshot, environment, command)
        if done.warm:
            tell(Line(event="warm"))
        return done

    async def warm_up(self, snapshot: Snapshot, environment: Environment, command: Command) -> str:
        return await self._backend.warm_up(snapshot, environment, command)

    async def close(self) -> None:
        await self._backend.close()


class Worker:
    """Draws jobs and does them."""

    def __init__(self, task: Task, backend: Backend) -> None:
        self._task = task
        self._backend = Counted(backend)
        self._random = random.Random(task.seed)
        self._sandbox = Sandbox(self._backend, task.environment, slots=task.at_once, memo=Memo(Path(task.memo)))
        self._snapshot = Snapshot(Path(task.root))
        self._number = 0

    async def run(self) -> None:
        """All of it."""
        tell(Line(event="ready"))
        await asyncio.gather(self._sandbox.warm_up(self._snapshot), *(self._work() for _ in range(self._task.at_once)))
        await self._sandbox.close()
        tell(Line(event="closed"))

    async def _work(self) -> None:
        while self._backend.attempts < self._task.attempts:
            job = self._random.choices(EVERY, [each.weight for each in EVERY])[0]
            self._number += 1
            number = self._number
            tell(Line(event="begun", number=number, job=job.name))
            outcome, why = await self._do(job)
            tell(Line(event="done", number=number, job=job.name, outcome=outcome, why=why))

    async def _do(self, job: Job | Proof) -> tuple[Outcome, str]:
        try:
            return await (self._prove(job) if isinstance(job, Proof) else self._attempt(job))
        except InfrastructureError as error:
            return "infrastructure", f"{type(error).__name__}: {error}"
        except Exception as error:  # noqa: BLE001  # whatever comes out that is no error of suture's is a finding of this bench
            return "wrong", f"{type(error).__name__}: {error}"

    async def _attempt(self, job: Job) -> tuple[Outcome, str]:
        snapshot = self._snapshot if job.text == FILES["calc.py"] else self._snapshot.with_edits({"calc.py": job.text.encode()})
        running = asyncio.ensure_future(self._sandbox.run(snapshot, Command(argv=job.argv, seconds=job.seconds, warm=job.warm)))
        if not job.cancelled:
            return judge(job, await running)
        await asyncio.sleep(self._random.expovariate(10))
        running.cancel()
        try:
            return judge(job, await running)
        except asyncio.CancelledError:
            return "cancelled", ""

    async def _prove(self, proof: Proof) -> tuple[Outcome, str]:
        before = await self._sandbox.check(CHECK, self._snapshot, memo=True)
        if before.status == "infrastructure":
            return "infrastructure", before.reason
        findings = tuple(each for each in before.findings if each.test)
        if [each.test for each in findings] != ["test_calc.py::test_add"]:
            return "wrong", f"the unchanged text: {before.status} {before.reason} {[each.test for each in findings]}"
        patch = patch_between(self._snapshot, {"calc.py": proof.text.encode()})
        target = Target(check=CHECK.name, findings=findings)
        return judge_proof(proof, await prove(self._sandbox, self._snapshot, (before,), target, patch, reruns=2))


def main() -> None:
    """Do the task on standard input."""
    faulthandler.register(signal.SIGUSR1)  # the bench asks where it is, when it says nothing any more
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    bend_clock(task.clock)
    asyncio.run(Worker(task, default_backend(task.backend, task.options)).run())


if __name__ == "__main__":
    main()
