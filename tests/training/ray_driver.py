"""Rollouts on two Ray workers, in a process of its own: `ray_driver.py killed|train FOLDER`, `served FOLDER URL`. Prints one JSON line.

`killed`: two training steps, in the first of which a worker is killed. `train`: a whole run of reinforcement learning, with a policy of
this process, which the workers ask. `served`: rollouts of a task with a server, which the workers ask by its address.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).parents[1] / "bench"))
from rollout_ground import Told, harness, is_wrong, make_tasks, told

from suture_agent.places import cache_folder
from suture_agent.policies.openai_compatible import OpenAIPolicy
from suture_training.collect import Collector, Episodes, Log, Sample, read_groups
from suture_training.curriculum import Curriculum
from suture_training.distributed import Plan, RaySettings, Workers, open_workers
from suture_training.tasks.sites import open_sites
from suture_training.tasks.store import TaskSet
from suture_training.tasks.task import Task

TASKS, SIZE, KILLED_AFTER = 4, 4, 3
ALLOWED = ("dependencies.suture",)  # whoever works on suture changes it between two runs


class Watched:
    """Episodes that are counted; one worker is killed when some of them have ended."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self.begun: list[int] = []
        self.ended: list[int] = []
        self.killed = 0

    async def sample(self, task: Task, seed: int) -> Sample:
        """As the workers do it."""
        self.begun.append(seed)
        done = await self._workers.sample(task, seed)
        self.ended.append(seed)
        if len(self.ended) == KILLED_AFTER:
            self.killed = (await self._workers.processes())[0]
            os.kill(self.killed, signal.SIGKILL)
        return done


async def steps(folder: Path, tasks: tuple[Task, ...], policy: Told, episodes: Episodes) -> None:
    """Two training steps."""
    log = Log(folder / "rollouts.jsonl", checkpoint=-1)
    collector = Collector(
        tasks,
        {},
        policy,
        harness(),
        log,
        curriculum=Curriculum([task.id for task in tasks], flat=True),
        group_size=SIZE,
        parallel=8,
        refills=0,
        episodes=episodes,
    )
    for step in range(2):
        await collector.step(step, TASKS)
    log.close()


async def killed(folder: Path, cache: Path) -> dict[str, Any]:
    """What came of two steps."""
    found = TaskSet.read(folder / "set")
    async with open_sites(found, cache, allow=ALLOWED) as sites:
        policy, by_prompt = await told(found, sites, harness(), TASKS)
    plan = Plan(
        tasks=str(found.folder),
        cache=str(cache),
        allow=ALLOWED,
        harness=harness(),
        capability=policy.capability,
        identity=await policy.start(),
    )
    async with open_workers(plan, policy, RaySettings(workers=2), parallel=8) as workers:
        before = await workers.processes()
        watched = Watched(workers)
        await steps(folder, tuple(by_prompt.values()), policy, watched)
        after, lost = await workers.processes(), workers.lost
    samples = [sample for group in read_groups(folder / "rollouts.jsonl") for sample in group.samples]
    return {
        "seeds": sorted(sample.seed for sample in samples),
        "begun": sorted(watched.begun),
        "as_told": [sample.reward == float(not is_wrong(sample.seed)) for sample in samples],
        "rewards": [sample.reward for sample in samples],
        "tokens": [len(sample.trace.completion_ids) for sample in samples],
        "lost": lost,
        "killed": watched.killed,
        "before": before,
        "after": after,
    }


async def served(folder: Path, cache: Path, url: str) -> dict[str, Any]:
    """What came of a task's rollouts."""
    found = TaskSet.read(folder / "set")
    policy = OpenAIPolicy(url, tokens=True)
    identity = await policy.start()
    plan = Plan(
        tasks=str(found.folder),
        cache=str(cache),
        allow=ALLOWED,
        harness=msgspec.structs.replace(harness(), template=identity.template),
        server=url,
        capability=policy.capability,
        identity=identity,
    )
    await policy.close()
    async with open_workers(plan, policy, RaySettings(workers=1), parallel=4) as workers:
        samples = await asyncio.gather(*(workers.sample(found.tasks[0], seed) for seed in range(4)))
    return {"rewards": [sample.reward for sample in samples], "tokens": [sum(sample.trace.env_mask) for sample in samples]}


def train(folder: Path) -> dict[str, Any]:
    """What came of a run."""
    sys.path.append(str(Path(sys.prefix, "train")))
    from suture_training import runs
    from suture_training.learn.tiny import TinySettings, make_tiny
    from suture_training.model import ModelSettings
    from suture_training.rl import RLSettings

    made = make_tiny(TinySettings(vocabulary=400, width=16, layers=1, heads=2, context=2048, steps=2, batch=2), folder / "model")
    settings = runs.RunSettings(
        model=ModelSettings(path=str(made)),
        tasks=str(folder / "set"),
        allow_mismatch=ALLOWED,
        harness=runs.HarnessSettings(preset="line", steps=2, seconds=120, answer_tokens=8),
        rl=RLSettings(steps=2, groups=2, group_size=2, micro_batch=4, refills=0, rollouts="ray"),
        ray=RaySettings(workers=2),
    )
    trained = runs.train("rl", settings, folder / "out", say=lambda text: print(text, file=sys.stderr))
    samples = [sample for group in read_groups(folder / "out" / "rollouts.jsonl") for sample in group.samples]
    return {
        "rows": trained.rows,
        "parity": trained.figures["parity"],
        "rewards": [sample.reward for sample in samples],
        "masked": [sample.masked for sample in samples],
        "tokens": [sum(sample.trace.env_mask) for sample in samples],
    }


def main() -> None:
    """Do it."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    cache = cache_folder()
    make_tasks(folder, cache, 8)
    runs = {
        "killed": lambda: asyncio.run(killed(folder, cache)),
        "served": lambda: asyncio.run(served(folder, cache, sys.argv[3])),
        "train": lambda: train(folder),
    }
    done = runs[what]()
    print(json.dumps(done), flush=True)


if __name__ == "__main__":
    main()
