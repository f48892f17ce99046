"""`suture tasks verify`: the tasks of a set anew, in the environment that they were made in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from suture_sandbox.errors import ConfigurationError, InfrastructureError
from suture_sandbox.slots import cores
from suture_training.tasks.finish import finish
from suture_training.tasks.sites import Progress, open_sites
from suture_training.tasks.split import RATIOS
from suture_training.tasks.store import TaskSet, writing
from suture_training.tasks.task import Task
from suture_training.tasks.verify import Rules, Shown, verify_again

Heard = Callable[[Task, Shown | InfrastructureError], None]


async def verify_set(
    folder: Path, cache: Path, runs: int, heard: Heard, *, names: Sequence[str] = (), allow: Sequence[str] = (), progress: Progress
) -> list[Task]:
    """Verify tasks side by side, tell of each in its order, and hand back those that do not hold.

    Raises ConfigurationError where the environment is another one, or a name is no task's.
    """
    task_set = TaskSet.read(folder)
    chosen = [task for task in task_set.iterate() if not names or any(task.id.startswith(name) for name in names)]
    if unknown := [name for name in names if not any(task.id.startswith(name) for task in chosen)]:
        raise ConfigurationError(f"no task begins with {unknown[0]}", remedy=f"suture tasks list {folder} shows them")
    rules, bad = Rules(runs=runs), list[Task]()
    room = asyncio.Semaphore(cores() + 1)
    async with open_sites(task_set, cache, allow=allow, progress=progress) as sites:

        async def one(task: Task) -> Shown | InfrastructureError:
            async with room:
                try:
                    return await verify_again(task, sites[task.workspace], rules)
                except InfrastructureError as error:
                    return error

        works = [asyncio.create_task(one(task)) for task in chosen]
        try:
            for task, work in zip(chosen, works, strict=True):
                shown = await work
                heard(task, shown)
                if isinstance(shown, Shown) and not shown.proof.good:
                    bad.append(task)
        finally:
            for work in works:
                work.cancel()
            await asyncio.gather(*works, return_exceptions=True)
    return bad


def drop_tasks(folder: Path, bad: Sequence[Task]) -> None:
    """Take tasks out of a set, which is split anew."""
    names = {task.id for task in bad}
    with writing(folder, resume=True) as writer:
        writer.rewrite(lambda task: None if task.id in names else task)
        ratios = writer.info.split.ratios if writer.info.split else RATIOS
        finish(writer, ratios, None)
