"""Power: how large an evaluation has to be to see a difference, and how small a difference one sees.

The model is that of the project's protocol: a task's probability of being solved is drawn from a Beta distribution, (0.4, 0.93) unless
runs say otherwise; the better policy closes the same share of every task's gap to 1; runs are independent given the task. Tasks are the
only thing that is sampled: what training seeds and repositories add is on top. Both tests are two-sided and paired by task.

The power to see the very difference that a run showed says no more than its p-value; `Sizing.smallest` is what an evaluation was good for.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from suture_training.evaluation import student
from suture_training.evaluation.outcomes import Outcomes

Shape = tuple[float, float]
"""Parameters of a Beta distribution."""

USUAL: Shape = (0.4, 0.93)
_AT_ONCE = 2_000_000
"""Simulated tasks that are held in memory."""
MOST_TASKS = 100_000


class Sizing(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation of a size can see."""

    tasks: int
    runs: int
    difference: float
    """In pass@1."""
    shape: Shape
    interaction: bool
    power: float
    """Of seeing that difference, if it is the truth."""
    smallest: float
    """Difference that is seen with a power of `wanted`; NaN where the model cannot hold one so large."""
    tasks_needed: int | None
    """To see the difference with that power, at as many runs; None: more than a hundred thousand."""
    runs_needed: int | None
    """The same at as many tasks; None: no number of runs suffices."""
    wanted: float = 0.8
    level: float = 0.05


def sizing(
    tasks: int, runs: int, difference: float, *, shape: Shape = USUAL, interaction: bool = False, wanted: float = 0.8, sims: int = 2000
) -> Sizing:
    """The power of a size by simulation, and the size that is needed."""
    size = abs(difference)
    return Sizing(
        tasks=tasks,
        runs=runs,
        difference=size,
        shape=shape,
        interaction=interaction,
        wanted=wanted,
        power=power(tasks, runs, size, shape=shape, interaction=interaction, sims=sims),
        smallest=smallest_difference(tasks, runs, shape=shape, interaction=interaction, wanted=wanted),
        tasks_needed=tasks_needed(runs, size, shape=shape, interaction=interaction, wanted=wanted),
        runs_needed=runs_needed(tasks, size, shape=shape, interaction=interaction, wanted=wanted),
    )


def power(
    tasks: int,
    runs: int,
    difference: float,
    *,
    shape: Shape = USUAL,
    interaction: bool = False,
    level: float = 0.05,
    sims: int = 2000,
    seed: int = 0,
) -> float:
    """Share of simulated evaluations in which the difference is significant. The Monte-Carlo error is at most 0.5 / sqrt(sims)."""
    import numpy as np

    if tasks < 2:
        return 0.0
    critical = student.quantile(1 - level / 2, tasks - 1)
    seen = 0
    for differences in _simulated(tasks, runs, difference, shape, interaction=interaction, sims=sims, seed=seed):
        error = differences.std(axis=1, ddof=1) / math.sqrt(tasks)
        seen += int(np.sum(np.abs(differences.mean(axis=1)) > critical * error))
    return seen / sims


def tasks_needed(
    runs: int, difference: float, *, shape: Shape = USUAL, interaction: bool = False, wanted: float = 0.8, level: float = 0.05
) -> int | None:
    """Tasks for a power of `wanted`, by Student's quantiles and the variance that the same model gives; simulations agree."""
    if difference <= 0:
        return None
    units = _variance(runs, difference, shape, interaction=interaction) / difference**2
    before, found, df = 0, 0, math.inf
    for _ in range(50):
        before, found = found, max(2, math.ceil((student.quantile(1 - level / 2, df) + student.quantile(wanted, df)) ** 2 * units))
        if found > MOST_TASKS:
            return None
        if abs(found - before) <= 1:
            break
        df = found - 1
    return max(found, before)


def runs_needed(tasks: int, difference: float, *, shape: Shape = USUAL, interaction: bool = False, wanted: float = 0.8) -> int | None:
    """Runs of each task for that power; None where more runs alone would not do, or only more than a thousand."""

    def enough(runs: int) -> bool:
        found = tasks_needed(runs, difference, shape=shape, interaction=interaction, wanted=wanted)
        return found is not None and found <= tasks

    low, high = 0, 1
    while not enough(high):
        low, high = high, high * 2
        if high > 1024:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def smallest_difference(tasks: int, runs: int, *, shape: Shape = USUAL, interaction: bool = False, wanted: float = 0.8) -> float:
    """The difference that this many tasks and runs show with that power; NaN where the model cannot hold one so large."""
    most = shape[1] / sum(shape)
    low, high = 0.0, most
    for _ in range(40):
        middle = (low + high) / 2
        found = tasks_needed(runs, middle, shape=shape, interaction=interaction, wanted=wanted)
        low, high = (low, middle) if found is not None and found <= tasks else (middle, high)
    return math.nan if high > most * 0.999 else high


def fitted(outcomes: Outcomes) -> Shape:
    """The Beta distribution whose first two moments are those of the tasks; with one run a task, the usual spread at their mean."""
    import numpy as np

    ended, solved = outcomes.ended.sum(axis=0), outcomes.solved.sum(axis=0)
    there = ended > 0
    ended, shares = ended[there], solved[there] / ended[there]
    mean = float(np.clip(shares.mean() if len(shares) else 0.5, 0.01, 0.99))
    concentration = sum(USUAL)
    if len(shares) > 1 and (ended > 1).all():
        between = float(shares.var(ddof=1) - (shares * (1 - shares) / (ended - 1)).mean())
        concentration = float(np.clip(mean * (1 - mean) / max(between, 1e-9) - 1, 0.05, 1000))
    return round(mean * concentration, 3), round((1 - mean) * concentration, 3)


def _simulated(tasks: int, runs: int, difference: float, shape: Shape, *, interaction: bool, sims: int, seed: int) -> Iterator[Any]:
    """Differences of shape (experiments, tasks), some experiments at a time."""
    import numpy as np

    rng = np.random.default_rng(seed)
    left = sims
    while left:
        some = min(left, max(1, _AT_ONCE // tasks))
        p = rng.beta(*shape, size=(some, tasks))
        yield _pair(rng, p, runs, difference, shape) - (_pair(rng, p, runs, 0.0, shape) if interaction else 0.0)
        left -= some


def _pair(rng: Any, p: Any, runs: int, difference: float, shape: Shape) -> Any:  # noqa: ANN401  # numpy's
    return (rng.binomial(runs, _better(p, difference, shape)) - rng.binomial(runs, p)) / runs


def _better(p: Any, difference: float, shape: Shape) -> Any:  # noqa: ANN401  # arrays
    """Each task's probability under the better policy; its mean is higher by the difference."""
    return p + min(1.0, difference * sum(shape) / shape[1]) * (1 - p)


def _variance(runs: int, difference: float, shape: Shape, *, interaction: bool) -> float:
    """Of one task's difference. With a the probability and b = a + s (1 - a): E[b(1-b) + a(1-a)] / runs + Var(b - a)."""
    alpha, beta = shape
    total = alpha + beta
    mean, spread = alpha / total, alpha * beta / (total**2 * (total + 1))
    share = min(1.0, difference * total / beta)
    noise = mean * (1 - mean) - spread
    better = mean + share * (1 - mean)
    noise_better = better * (1 - better) - (1 - share) ** 2 * spread
    before = 2 * noise / runs if interaction else 0.0
    return (noise + noise_better) / runs + share**2 * spread + before
