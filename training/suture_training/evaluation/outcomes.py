"""What came of the runs of one policy, or of one row of policies that differ in their training seed, as arrays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec


class Outcomes(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """Counts by training seed and task: arrays of shape (seeds, tasks)."""

    seeds: tuple[str, ...]
    """Labels of the training seeds, sorted; `("",)` for a policy without one."""
    tasks: tuple[str, ...]
    repositories: tuple[str, ...]
    """Of each task: what intervals are clustered by."""
    solved: Any
    """Runs that solved the task."""
    ended: Any
    """Runs that came to an end."""
    lost: Any
    """Runs that the machine or the policy lost."""

    @property
    def single(self) -> bool:
        """Whether every task was run once, by one policy."""
        return len(self.seeds) == 1 and bool(((self.ended + self.lost) == 1).all())

    def restricted(self, tasks: Collection[str]) -> Outcomes:
        """Only these tasks, sorted."""
        wanted = frozenset(tasks)
        kept = sorted((index for index, task in enumerate(self.tasks) if task in wanted), key=lambda index: self.tasks[index])
        return Outcomes(
            seeds=self.seeds,
            tasks=tuple(self.tasks[index] for index in kept),
            repositories=tuple(self.repositories[index] for index in kept),
            solved=self.solved[:, kept],
            ended=self.ended[:, kept],
            lost=self.lost[:, kept],
        )

    def with_losses(self, *, solved: bool) -> Outcomes:
        """As if every lost run had solved its task, or had failed."""
        more = self.solved + self.lost if solved else self.solved
        return msgspec.structs.replace(self, solved=more, ended=self.ended + self.lost, lost=self.lost * 0)


def outcomes_of(rows: Sequence[tuple[str, str, str, bool | None]]) -> Outcomes:
    """From one row a run: training seed, task, repository, and whether it was solved (None: lost)."""
    import numpy as np

    seeds = sorted({seed for seed, *_ in rows})
    homes = {task: repository for _, task, repository, _ in rows}
    tasks = sorted(homes)
    at_seed, at_task = {each: number for number, each in enumerate(seeds)}, {each: number for number, each in enumerate(tasks)}
    solved, ended, lost = (np.zeros((len(seeds), len(tasks)), int) for _ in range(3))
    for seed, task, _, outcome in rows:
        place = at_seed[seed], at_task[task]
        solved[place] += outcome is True
        ended[place] += outcome is not None
        lost[place] += outcome is None
    return Outcomes(
        seeds=tuple(seeds), tasks=tuple(tasks), repositories=tuple(homes[task] for task in tasks), solved=solved, ended=ended, lost=lost
    )
