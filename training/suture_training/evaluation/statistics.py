"""Estimators and tests. What is resampled, and how an interval comes of it, is in `resampling`.

pass@1 is the mean of c/n; pass@k = 1 - C(n-c, k)/C(n, k) is the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374); pass^k =
C(c, k)/C(n, k) is its counterpart for "all k runs solve it" (Yao et al. 2024, arXiv 2406.12045). n is what came to an end: runs that the
machine or the policy lost are in none of them, and `bounds` says between what they could have moved the result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from suture_training.evaluation import student

if TYPE_CHECKING:
    from suture_training.evaluation.outcomes import Outcomes

Estimator = Callable[[Any, Any], Any]
"""Solved runs c and ended runs n of each task (arrays of one shape) -> the task's value; NaN where n is too small for it."""


def pass_at(k: int) -> Estimator:
    """Probability that at least one of k runs solves a task; `pass_at(1)` is the share of solved runs."""
    return lambda solved, ended: 1 - _chosen(ended - solved, ended, k)


def pass_all(k: int) -> Estimator:
    """pass^k: probability that all of k runs solve a task."""
    return lambda solved, ended: _chosen(solved, ended, k)


def _chosen(part: Any, whole: Any, k: int) -> Any:  # noqa: ANN401  # arrays
    """C(part, k) / C(whole, k) as a product of k factors; NaN where `whole` < k."""
    import numpy as np

    part, whole = np.asarray(part, float), np.asarray(whole, float)
    value = np.ones(np.broadcast(part, whole).shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        for taken in range(k):
            value = value * np.maximum(part - taken, 0) / (whole - taken)
    return np.where(whole >= k, value, np.nan)


class Interval(msgspec.Struct, frozen=True, kw_only=True):
    """Two ends."""

    low: float
    high: float


def wilson(share: float, size: float, *, level: float = 0.95, df: float = math.inf) -> Interval:
    """Wilson's score interval of a share of `size` trials; with `df`, Student's quantile in the place of the normal one.

    `size` may be an effective one: share (1 - share) / variance (Korn and Graubard 1998).
    """
    if size <= 0:
        return Interval(low=0.0, high=1.0)
    z = student.quantile(0.5 + level / 2, df)
    centre = share + z * z / (2 * size)
    margin = z * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    scale = 1 + z * z / size
    return Interval(low=max(0.0, (centre - margin) / scale), high=min(1.0, (centre + margin) / scale))


class McNemar(msgspec.Struct, frozen=True, kw_only=True):
    """McNemar's exact test on pairs of single runs."""

    gained: int
    """Tasks that only the second policy solved."""
    lost: int
    """Tasks that only the first one solved."""
    p: float


def mcnemar(first: Outcomes, second: Outcomes) -> McNemar:
    """The exact test on the tasks that both ended. Raises ValueError unless every task was run once, with one training seed."""
    import numpy as np

    if not (first.single and second.single):
        raise ValueError("McNemar's test is for single runs: of several, the runs of one task are not independent")
    common = first.restricted(second.tasks), second.restricted(first.tasks)
    ended = (common[0].ended[0] == 1) & (common[1].ended[0] == 1)
    before, after = (each.solved[0][ended] == 1 for each in common)
    gained, lost = int(np.sum(~before & after)), int(np.sum(before & ~after))
    return McNemar(gained=gained, lost=lost, p=binomial_two_sided(gained, gained + lost))


def binomial_two_sided(successes: int, trials: int) -> float:
    """Exact two-sided p-value of a fair coin; 1 without trials."""
    fewer = min(successes, trials - successes)
    return min(1.0, 2 * sum(math.comb(trials, each) for each in range(fewer + 1)) / (1 << trials))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment (Holm 1979), in the order given: reject where the adjusted value is at most the level."""
    count, running = len(p_values), 0.0
    adjusted = [0.0] * count
    for rank, index in enumerate(sorted(range(count), key=lambda each: p_values[each])):
        running = max(running, min(1.0, (count - rank) * p_values[index]))
        adjusted[index] = running
    return tuple(adjusted)


def bounds(outcomes: Outcomes) -> Interval:
    """pass@1 if every lost run had failed, and if every lost run had solved its task."""
    low = outcomes.with_losses(solved=False)
    high = outcomes.with_losses(solved=True)
    return Interval(low=mean_of(low), high=mean_of(high))


def mean_of(outcomes: Outcomes, estimator: Estimator | None = None) -> float:
    """The mean over tasks and training seeds; NaN where there is nothing."""
    import numpy as np

    values = np.asarray((estimator or pass_at(1))(outcomes.solved, outcomes.ended), float)
    return float(np.nanmean(values)) if np.isfinite(values).any() else math.nan
