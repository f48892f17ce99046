"""Which tasks the next step works on: those that are solved sometimes teach most (prime-rl's pools, as one smooth weight).

A task that always or never succeeds gives a group without variance and no gradient. The pass rate of each task is kept with a little
forgetting, since the policy changes; a task that was not tried yet counts as one that is solved half the time.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

import msgspec

FORGET = 0.7
"""Weight of what was seen before, at each new group."""
LEAST = 0.05
"""Weight of a task that is always or never solved: it is looked at again now and then."""


IMAGINED = 0.25
"""Successes, and as many failures, that a task is thought to have had before it was tried: little, or it takes many groups to see that one
is never solved."""


class Seen(msgspec.Struct):
    """Solved and tried rollouts of a task, older ones counting less."""

    solved: float = 0.0
    tried: float = 0.0


class Curriculum:
    """Draws tasks by pass rate; the same seed and the same results draw the same tasks."""

    def __init__(self, tasks: Sequence[str], *, seed: int = 0, flat: bool = False) -> None:
        self._tasks = tuple(tasks)
        self._seed = seed
        self._flat = flat
        self._seen = {task: Seen() for task in tasks}

    def told(self, task: str, solved: int, tried: int) -> None:
        """A group came out."""
        seen = self._seen[task]
        seen.solved = FORGET * seen.solved + solved
        seen.tried = FORGET * seen.tried + tried

    def rate(self, task: str) -> float:
        """Estimated pass rate."""
        seen = self._seen[task]
        return (seen.solved + IMAGINED) / (seen.tried + 2 * IMAGINED)

    def weight(self, task: str) -> float:
        """How likely a task is drawn: the variance of its outcome, at most 1."""
        rate = self.rate(task)
        return 1.0 if self._flat else LEAST + (1 - LEAST) * 4 * rate * (1 - rate)

    def draw(self, step: int, count: int, *, without: Collection[str] = (), salt: int = 0) -> list[str]:
        """`count` different tasks for a step; fewer where there are not as many. `salt` tells the replacements of a step apart."""
        chance = random.Random(f"{self._seed}:{step}:{salt}")  # noqa: S311  # reproducible, not secret
        left = [task for task in self._tasks if task not in without]
        weights = [self.weight(task) for task in left]
        drawn: list[str] = []
        for _ in range(min(count, len(left))):
            at = chance.choices(range(len(left)), weights)[0]
            drawn.append(left.pop(at))
            weights.pop(at)
        return drawn
