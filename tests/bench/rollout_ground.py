"""What the bench of rollouts stands on: small tasks, a policy that is told their answers, and a clock of the processors."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import time
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import msgspec

from suture_agent.errors import PolicyRefused
from suture_agent.harness import Harness
from suture_agent.policies import Capability, ChatRequest, Choice, Completion, OnText, PolicyIdentity
from suture_sandbox.slots import Priority, Slots
from suture_sandbox.snapshot import Snapshot
from suture_training.learn.settings import TaskSettings
from suture_training.learn.teacher import gold_answer, mend_of
from suture_training.rollout import Site, roll_out
from suture_training.runs import HarnessSettings
from suture_training.tasks.store import TaskSet
from suture_training.tasks.task import Task

WRONG_OF = 4
"""One answer of so many is wrong."""
_CAPABILITY = Capability(context=32_768, tools=False, prefill=False, parallel=64)
_IDLE = (3, 4)  # of the columns of /proc/stat: idle, iowait
_STEAL = 7


def harness() -> Harness:
    """What training runs in, with one answer an episode."""
    return HarnessSettings(preset="line", steps=1, seconds=120, answer_tokens=64).harness(_CAPABILITY, "")


def make_tasks(folder: Path, cache: Path, count: int) -> None:
    """A task set of two small packages below a folder; one that is there is kept."""
    from suture_training.learn.tasks import make

    if not (folder / "set" / "set.json").exists():
        settings = TaskSettings(train=2, validation=0, test=0, each=count)
        asyncio.run(make(settings, folder / "set", folder / "repositories", cache, lambda text: print(text, flush=True)))


def right_and_wrong(task: Task, healthy: Snapshot) -> tuple[str, str]:
    """An answer that mends a task, and one that can be carried out and does not."""
    right, mend = gold_answer(task, healthy), mend_of(task, healthy)
    assert right is not None
    assert mend is not None
    return right, f"{mend.line}: {mend.before} => {mend.before}  # looked at"


def is_wrong(number: int) -> bool:
    """Whether the rollout of this number in its group answers wrongly."""
    return number % WRONG_OF == WRONG_OF - 1


class Told:
    """A policy that knows each task's answers by the prompt; the seed says which of the two it gives."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[str, str]] = {}
        self.heard = ""
        """The last prompt that it had no answer for."""

    @property
    def capability(self) -> Capability:
        """Enough for the harness."""
        return _CAPABILITY

    async def start(self) -> PolicyIdentity:
        """There is nothing to start."""
        return PolicyIdentity(name="told", server="suture")

    async def complete(self, request: ChatRequest, on_text: OnText | None = None) -> Completion:
        """The answer at once, with tokens that mean nothing."""
        self.heard = request.messages[1].content
        if self.heard not in self.answers:
            raise PolicyRefused("nothing was told about this", remedy="tell it")
        text = self.answers[self.heard][is_wrong(request.seed)]
        if on_text is not None:
            on_text(text)
        return Completion(choices=(Choice(text=text, token_ids=(2, 1), logprobs=(-0.5, -0.1)),), prompt_ids=(3,))

    async def close(self) -> None:
        """There is nothing to close."""


async def told(found: TaskSet, sites: Mapping[str, Site], within: Harness, count: int) -> tuple[Told, dict[str, Task]]:
    """A policy that knows the first so many tasks that its answers mend, and the tasks by their prompts.

    A prompt is overheard in an episode that ends before any sandbox; of tasks with one prompt the first is taken.
    """
    policy, tasks = Told(), dict[str, Task]()
    for task in found.tasks:
        site = sites[task.workspace]
        if len(tasks) < count and gold_answer(task, site.healthy) is not None:
            policy.heard = ""
            await roll_out(task, site, policy, within)
            prompt = policy.heard
            if prompt in policy.answers:
                continue
            policy.answers[prompt] = right_and_wrong(task, site.healthy)
            if (await roll_out(task, site, policy, within)).solved:
                tasks[prompt] = task
    if len(tasks) < count:
        raise SystemExit(f"only {len(tasks)} of {len(found.tasks)} tasks will do; {count} were asked for")
    return policy, tasks


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """What a stretch of time was made of, in seconds; processors' seconds but for the first."""

    wall: float
    own: float
    """Of the worker and everything that it started."""
    busy: float
    """Of the whole machine."""
    idle: float
    taken: float
    """Slots' seconds in which an attempt ran in them."""


class CountedSlots(Slots):
    """Slots that count for how long they are taken."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self._taken, self._seconds, self._since = 0, 0.0, time.monotonic()

    @contextlib.asynccontextmanager
    async def taken(self, priority: Priority) -> AsyncGenerator[None]:
        """Wait for a slot, and hold it."""
        async with super().taken(priority):
            self.seconds(1)
            try:
                yield
            finally:
                self.seconds(-1)

    def seconds(self, change: int = 0) -> float:
        """Slots' seconds so far; `change` more are taken from now on."""
        now = time.monotonic()
        self._seconds += self._taken * (now - self._since)
        self._since, self._taken = now, self._taken + change
        return self._seconds


class Clock:
    """Looks at the processors. The worker's own seconds are those of its control group where it has one, which counts all that it started,
    dead or alive; else those of itself and the children that it waited for, which leaves out what is still alive."""

    def __init__(self, group: Path | None, slots: CountedSlots) -> None:
        self._slots = slots
        self._usage = group / "cpuacct.usage" if group is not None else None
        self._began = self._look()

    def spell(self) -> Spell:
        """Since the last time, or the beginning."""
        before, self._began = self._began, self._look()
        wall, own, busy, idle, taken = (after - earlier for after, earlier in zip(self._began, before, strict=True))
        return Spell(wall=wall, own=own, busy=busy, idle=idle, taken=taken)

    def _look(self) -> tuple[float, ...]:
        columns = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        tick = os.sysconf("SC_CLK_TCK")
        idle = sum(columns[number] for number in _IDLE) / tick
        return time.monotonic(), self._own(), sum(columns) / tick - idle - columns[_STEAL] / tick, idle, self._slots.seconds()

    def _own(self) -> float:
        if self._usage is not None:
            return int(self._usage.read_text()) / 1e9
        mine, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime
