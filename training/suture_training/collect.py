"""Collecting the rollouts of a training step: groups of episodes on one task each, side by side, in the order of the curriculum.

Every group is written down, durably, before it is handed to the trainer. A run that is killed goes on from its checkpoint, and the groups
of the steps after it are read back instead of being run again: no rollout is lost and none is counted twice.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Protocol

import msgspec

from suture_agent.harness import Harness
from suture_agent.policies import Policy
from suture_training.conversations import Trace, trace_of
from suture_training.curriculum import Curriculum
from suture_training.errors import TrainingError
from suture_training.evaluation.audit import passes_unguarded
from suture_training.rewards import Masking, Payment, reward_of
from suture_training.rollout import Rollout, Site, roll_out
from suture_training.tasks.task import Task

NO_TRACE = Trace(prompt_ids=(0,), completion_ids=(0,), logprobs=(0.0,), env_mask=(0,))
"""Stands where there are no tokens: trainers want at least one."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One rollout as the trainer takes it."""

    seed: int
    trace: Trace
    reward: float | None
    masked: str = ""
    hacks: tuple[str, ...] = ()
    outcome: str = ""
    reason: str = ""
    answers: tuple[str, ...] = ()
    """What the policy wrote, for people."""
    seconds: float = 0.0
    seconds_policy: float = 0.0
    seconds_sandbox: float = 0.0


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """Rollouts of one task in one step."""

    step: int
    place: int
    """Its place in the step; replacements of groups without variance count on."""
    task: str
    samples: tuple[Sample, ...]

    @property
    def solved(self) -> int:
        """Rollouts with reward 1."""
        return sum(sample.reward == 1 for sample in self.samples)

    @property
    def scored(self) -> int:
        """Rollouts with any reward."""
        return sum(sample.reward is not None for sample in self.samples)

    @property
    def teaches(self) -> bool:
        """Whether the rewards differ: a group without variance has no gradient."""
        return 0 < self.solved < self.scored


class Log:
    """The groups of a run as JSON lines; a last line that was cut off by a kill is dropped."""

    def __init__(self, path: Path, *, checkpoint: int) -> None:
        """`checkpoint`: the last step whose weights are kept; later groups are there to be used again."""
        path.parent.mkdir(parents=True, exist_ok=True)
        kept, self._known = read_groups(path), dict[tuple[int, int], Group]()
        self.done = [group for group in kept if group.step <= checkpoint]
        for group in kept:
            if group.step > checkpoint:
                self._known[group.step, group.place] = group
        self._file: IO[bytes] = path.open("ab")

    def take(self, step: int, place: int) -> Group | None:
        """The group that was made for this place before the run was interrupted."""
        return self._known.pop((step, place), None)

    def write(self, group: Group) -> None:
        """Keep a group; durable on return."""
        self._file.write(msgspec.json.encode(group) + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """No more groups."""
        self._file.close()


def read_groups(path: Path) -> list[Group]:
    """The whole groups in a log; what follows the last whole line is cut off the file."""
    if not path.exists():
        return []
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        with path.open("r+b") as file:
            file.truncate(whole)
    groups = [msgspec.json.decode(line, type=Group) for line in content[:whole].splitlines()]
    return list({(group.step, group.place): group for group in groups}.values())


class Episodes(Protocol):
    """Where the episodes of a run take place."""

    async def sample(self, task: Task, seed: int) -> Sample:
        """One rollout, with its reward. What fails of the machine or the policy is no reward, never an exception; nor is it reward 0."""
        ...


class Here:
    """Episodes in this process."""

    def __init__(
        self,
        sites: Mapping[str, Site],
        policy: Policy,
        harness: Harness,
        *,
        masking: Masking = "asymmetric",
        longest: int = 0,
        reward: Payment = "verdict",
    ) -> None:
        """`longest`: tokens of a trace; 0 for any."""
        self._sites = sites
        self._policy = policy
        self._harness = harness
        self._masking: Masking = masking
        self._longest = longest
        self._reward: Payment = reward

    async def sample(self, task: Task, seed: int) -> Sample:
        """Run one."""
        site = self._sites[task.workspace]
        rollout = await roll_out(task, site, self._policy, self._harness, seed=seed)
        paid = await passes_unguarded(rollout, site) if self._reward == "check" else rollout.solved
        sample = sample_of(rollout, seed, self._masking, self._longest)
        if paid == rollout.solved or sample.reward is None:
            return sample
        return msgspec.structs.replace(sample, reward=None if paid is None else float(paid))


class Collector:
    """Runs the rollouts of one training run."""

    def __init__(
        self,
        tasks: Sequence[Task],
        sites: Mapping[str, Site],
        policy: Policy,
        harness: Harness,
        log: Log,
        *,
        curriculum: Curriculum,
        group_size: int,
        parallel: int,
        refills: int = 1,
        masking: Masking = "asymmetric",
        longest: int = 0,
        reward: Payment = "verdict",
        episodes: Episodes | None = None,
    ) -> None:
        """`refills`: how many groups may be drawn for each wanted one until it has variance. `longest`: tokens of a trace; 0 for any.

        `episodes`: where they take place, in this process unless told otherwise.
        """
        self._tasks = {task.id: task for task in tasks}
        self._episodes = episodes or Here(sites, policy, harness, masking=masking, longest=longest, reward=reward)
        self._log = log
        self.curriculum = curriculum
        self._size = group_size
        self._slots = asyncio.Semaphore(parallel)
        self._refills = refills
        for group in log.done:
            curriculum.told(group.task, group.solved, group.scored)

    async def step(self, step: int, count: int, told: Callable[[Group], None] = lambda _group: None) -> list[Group]:
        """`count` groups for a step, those with variance first; groups without are replaced while refills are left."""
        made: list[Group] = []
        tried: set[str] = set()
        place = 0
        for salt in range(1 + self._refills):
            missing = count - sum(group.teaches for group in made)
            drawn = self.curriculum.draw(step, missing, without=tried, salt=salt)
            tried.update(drawn)
            fresh = await asyncio.gather(*(self._group(step, place + at, task) for at, task in enumerate(drawn)))
            place += len(drawn)
            for group in fresh:
                self.curriculum.told(group.task, group.solved, group.scored)
                told(group)
            made += fresh
            if sum(group.teaches for group in made) >= count:
                break
        if len(made) < count:
            raise TrainingError(
                f"{len(self._tasks)} tasks are too few for {count} groups a step", remedy="lower rl.groups, or make more tasks"
            )
        return sorted(made, key=lambda group: not group.teaches)[:count]

    async def _group(self, step: int, place: int, name: str) -> Group:
        known = self._log.take(step, place)
        if known is not None and known.task == name:
            return known
        task = self._tasks[name]
        first = (step * 1000 + place) * self._size
        samples = await asyncio.gather(*(self._sample(task, first + number) for number in range(self._size)))
        group = Group(step=step, place=place, task=name, samples=tuple(samples))
        await asyncio.to_thread(self._log.write, group)
        return group

    async def _sample(self, task: Task, seed: int) -> Sample:
        async with self._slots:
            return await self._episodes.sample(task, seed)


def unscored(seed: int, why: str) -> Sample:
    """A rollout of which nothing is known: it has no reward, and moves no weight."""
    return Sample(seed=seed, trace=NO_TRACE, reward=None, masked=why, outcome="infrastructure", reason=why)


def sample_of(rollout: Rollout, seed: int, masking: Masking, longest: int = 0) -> Sample:
    """A rollout as the trainer takes it; one of which there are no tokens is masked."""
    done = rollout.repair
    reward = reward_of(rollout, masking)
    trace = trace_of(done.turns, seed=seed)
    value, masked = reward.value, reward.masked
    if trace is None or not trace.completion_ids:
        trace, value, masked = NO_TRACE, None, masked or "no tokens"
    elif longest and trace.length > longest:
        value, masked = None, f"its {trace.length} tokens are more than {longest}"
    return Sample(
        seed=seed,
        trace=trace,
        reward=value,
        masked=masked,
        hacks=reward.hacks,
        outcome=done.outcome,
        reason=done.reason[:400],
        answers=tuple(turn.completion.choices[0].text for turn in done.turns if turn.by == "policy"),
        seconds=rollout.seconds,
        seconds_policy=done.usage.seconds_policy,
        seconds_sandbox=done.usage.seconds_sandbox,
    )
