"""The tasks of `make learn`: repositories that are written for it, broken by the operators of `suture_training.tasks`, and verified.

The splits are those of the cells (`families.part_of`), so that no function of a held-out repository, whatever its nouns, is one of the
training split. What resembles a held-out one all the same is refused by the rules that any task set is held to.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec

from suture_sandbox.errors import ConfigurationError
from suture_training.learn.repositories import write_repository
from suture_training.learn.settings import TaskSettings
from suture_training.tasks.duplicates import leaks
from suture_training.tasks.info import Ratios
from suture_training.tasks.make import Asked, make_tasks
from suture_training.tasks.store import TaskSet
from suture_training.tasks.task import Split, Task

UNSPLIT: Ratios = (100, 0, 0)
"""The set itself is not split, which would refuse what resembles a part of it that is not held out here."""


async def make(settings: TaskSettings, target: Path, repositories: Path, cache: Path, say: Callable[[str], None]) -> None:
    """Write the repositories and make a task set of all of them; goes on with what an interrupted run left."""
    wanted: tuple[tuple[Split, int], ...] = (("train", settings.train), ("validation", settings.validation), ("test", settings.test))
    for split, count in wanted:
        for number in range(count):
            name = f"{split}{number + 1:02d}"
            write_repository(repositories / name, name, split, 1000 * settings.seed + number)
            kept = await make_some(repositories / name, target, settings, cache)
            say(f"tasks: {name}: {kept} kept")


async def make_some(repository: Path, target: Path, settings: TaskSettings, cache: Path) -> int:
    """Put the tasks of one repository into a set, which is made where it is not there; how many there are of it."""
    asked = Asked(
        workspace=repository,
        out=target,
        count=settings.each,
        seed=settings.seed,
        runs=settings.runs,
        controls=settings.controls,
        shaken=settings.shaken,
        operators=settings.operators,
        repository=repository.name,
        ratios=UNSPLIT,
        resume=target.exists(),  # noqa: ASYNC240  # one look
    )
    done = await make_tasks(asked, cache, lambda _what: None)
    return done.counts.kept


def split_tasks(task_set: TaskSet, fits: Callable[[Task], bool]) -> tuple[tuple[Task, ...], int]:
    """The tasks that fit, in the split of their repository, without those for training that give away a held-out one; how many those were.

    Raises ConfigurationError where nothing is left.
    """
    tasks = [msgspec.structs.replace(task, split=_split(task.origin.repository)) for task in task_set.tasks if fits(task)]
    held_out = [task for task in tasks if task.split != "train"]
    away = {leak.train for leak in leaks([task for task in tasks if task.split == "train"], held_out)}
    left = tuple(task for task in tasks if task.id not in away)
    if not {"train", "test"} <= {task.split for task in left}:
        raise ConfigurationError("no tasks are left to train on or to measure by", remedy="raise tasks.train, tasks.test or tasks.each")
    return left, len(away)


def _split(repository: str) -> Split:
    return "train" if repository.startswith("train") else "validation" if repository.startswith("validation") else "test"
