"""Intervals by resampling: a paired bootstrap, clustered by repository, with the training seed as a level of its own.

A contrast is a weighted sum of means, such as A - B, or (AA - BA) - (AB - BB). Tasks of one repository resemble each other, so repositories
are drawn and not tasks (with one repository only, tasks are: the interval then says nothing on other repositories). The same draw is
used for every policy, which is what makes it paired. Four things are done on purpose and not as the plainest bootstrap does them:

- Only the outermost level is drawn; a drawn repository keeps its tasks, a task its runs. Drawing runs inside of drawn tasks counts their
  variance twice (Davison and Hinkley 1997, 3.8) and makes paired intervals much too wide (docs/evaluation.md has figures). `inner=True`
  draws them all the same, tasks outer and runs inner, for who wants the cautious interval.
- n - 1 of n units are drawn, so that the variance of a mean is unbiased for few units (Rao and Wu 1988).
- Seeds are crossed with tasks: every policy of a row meets the same tasks. Drawing both at once counts the residual variance three times
  (Owen 2007), so variances are added by inclusion and exclusion (Cameron, Gelbach and Miller 2011): repositories, plus what seeds have
  beyond the residual, never less than nothing.
- An interval is the estimate and Student's quantile times the bootstrap's standard error, with Satterthwaite's degrees of freedom: with
  three training seeds percentiles of a bootstrap would be far too narrow. A single rate gets Wilson's interval for its effective size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from suture_training.evaluation import student
from suture_training.evaluation.outcomes import Outcomes
from suture_training.evaluation.statistics import Estimator, Interval, binomial_two_sided, mean_of, pass_at, wilson

if TYPE_CHECKING:
    from numpy.random import Generator

DRAWS = 4000


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A number with its 95 % interval, and what it rests on."""

    value: float
    low: float
    high: float
    error: float
    """Standard error."""
    df: float
    """Degrees of freedom of the interval; 0 where there is nothing to go by."""
    p: float
    """Two-sided, against 0."""
    tasks: int
    repositories: int
    seeds: int
    """Training seeds; with one the interval says nothing on other trainings."""
    runs: int
    """Runs that came to an end."""
    unit: Literal["repository", "task"] = "repository"
    """What was drawn."""


class _Term(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """One mean of a contrast: sums and counts by seed and unit."""

    weight: float
    group: int
    """Terms with the same seeds share their draws."""
    sums: Any
    """Shape (seeds, units)."""
    counts: Any
    runs: float
    """Variance of the mean by the runs inside of tasks, where it is asked for."""

    @property
    def mean(self) -> float:
        """The mean over all seeds and units."""
        return float(self.sums.sum() / self.counts.sum()) if self.counts.sum() else math.nan

    def drawn(self, weights: Any, axis: int) -> Any:  # noqa: ANN401  # arrays
        """The mean under each row of weights of the seeds (axis 0) or of the units (axis 1)."""
        import numpy as np

        with np.errstate(invalid="ignore", divide="ignore"):  # NaN for a draw in which nothing was counted
            return (weights @ self.sums.sum(axis=1 - axis)) / (weights @ self.counts.sum(axis=1 - axis))

    def residual(self) -> Any:  # noqa: ANN401  # array
        """What neither its seed nor its unit explains of each cell's share in the mean."""
        deviations = self.sums - self.mean * self.counts
        seeds = deviations.sum(axis=1, keepdims=True) / self.counts.sum(axis=1, keepdims=True)
        return (deviations - seeds * self.counts - deviations.mean(axis=0, keepdims=True)) / self.counts.sum()


def rate(outcomes: Outcomes, estimator: Estimator | None = None, *, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """A mean between 0 and 1, such as pass@1, with Wilson's interval for the effective number of runs."""
    found = contrast([(1.0, outcomes)], estimator, draws=draws, seed=seed)
    if math.isnan(found.value) or found.df == 0:
        return msgspec.structs.replace(found, low=0.0, high=1.0)
    spread = found.value * (1 - found.value)
    size = min(spread / found.error**2, found.runs) if found.error and spread else found.tasks
    ends = wilson(found.value, size, df=found.df)
    return msgspec.structs.replace(found, low=ends.low, high=ends.high)


def contrast(
    terms: Sequence[tuple[float, Outcomes]],
    estimator: Estimator | None = None,
    *,
    paired: bool = True,
    inner: bool = False,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate:
    """A weighted sum of means. `paired`: on the tasks that all of them have a value for; else each on its own tasks."""
    import numpy as np

    chosen = estimator or pass_at(1)
    used = _on_common_tasks(terms, chosen) if paired else [(weight, each) for weight, each in terms]
    rng = np.random.default_rng(seed)
    laid, unit, units = _laid_out(used, chosen, rng if inner else None)
    value = float(sum(term.weight * term.mean for term in laid)) if laid and units else math.nan
    error, df = _spread(laid, units, rng, draws) if units > 1 else (0.0, 0.0)
    ends = _ends(value, error, df, used, chosen)
    return Estimate(
        value=value,
        low=ends.low,
        high=ends.high,
        error=error,
        df=df,
        p=_p_value(value, error, df, units),
        tasks=len({task for _, each in used for task in each.tasks}),
        repositories=len({home for _, each in used for home in each.repositories}),
        seeds=max((len(each.seeds) for _, each in used), default=0),
        runs=int(sum(each.ended.sum() for _, each in used)),
        unit=unit,
    )


def _on_common_tasks(terms: Sequence[tuple[float, Outcomes]], estimator: Estimator) -> list[tuple[float, Outcomes]]:
    """The terms on the tasks for which each of them has a value, with any of its seeds."""
    import numpy as np

    common: set[str] | None = None
    for _, each in terms:
        there = np.isfinite(estimator(each.solved, each.ended)).any(axis=0)
        having = {task for task, has in zip(each.tasks, there, strict=True) if has}
        common = having if common is None else common & having
    return [(weight, each.restricted(common or ())) for weight, each in terms]


def _laid_out(
    terms: Sequence[tuple[float, Outcomes]], estimator: Estimator, runs: Generator | None
) -> tuple[list[_Term], Literal["repository", "task"], int]:
    """Sums and counts by seed and unit: repositories, or tasks where there is one repository only."""
    import numpy as np

    homes = sorted({home for _, each in terms for home in each.repositories})
    unit: Literal["repository", "task"] = "repository" if len(homes) > 1 else "task"
    names = homes if unit == "repository" else sorted({task for _, each in terms for task in each.tasks})
    place = {name: number for number, name in enumerate(names)}
    groups = sorted({each.seeds for _, each in terms})
    laid: list[_Term] = []
    for weight, each in terms:
        values = estimator(each.solved, each.ended)
        there = np.isfinite(values)
        where = [place[name] for name in (each.repositories if unit == "repository" else each.tasks)]
        belongs = np.zeros((len(where), len(names)))
        belongs[np.arange(len(where)), where] = 1.0
        laid.append(
            _Term(
                weight=weight,
                group=groups.index(each.seeds),
                sums=np.where(there, values, 0.0) @ belongs,
                counts=there.astype(float) @ belongs,
                runs=_variance_by_runs(each, estimator, runs) if runs is not None else 0.0,
            )
        )
    return laid, unit, len(names)


def _variance_by_runs(outcomes: Outcomes, estimator: Estimator, rng: Generator, draws: int = 200) -> float:
    """Variance of the mean when the runs of each task are drawn anew from that task's own."""
    import numpy as np

    ended = np.maximum(outcomes.ended, 1)
    again = rng.binomial(outcomes.ended, outcomes.solved / ended, size=(draws, *ended.shape))
    values = estimator(again, np.broadcast_to(outcomes.ended, again.shape))
    there = np.isfinite(values).all(axis=0)
    return float(np.where(there, np.nan_to_num(values).var(axis=0), 0.0).sum() / max(there.sum(), 1) ** 2)


def _spread(laid: Sequence[_Term], units: int, rng: Generator, draws: int) -> tuple[float, float]:
    """Standard error and Satterthwaite's degrees of freedom."""
    import numpy as np

    drawn = _drawn(rng, draws, units)
    variance = float(np.nanvar(_summed(laid, drawn, axis=1)))
    variance += sum(term.weight**2 * term.runs for term in laid)
    parts = [(variance, units - 1)]
    for group in sorted({term.group for term in laid}):
        terms = [term for term in laid if term.group == group]
        seeds = len(terms[0].sums)
        if seeds > 1:
            drawn = _drawn(rng, draws, seeds)
            by_seed = float(np.nanvar(_summed(terms, drawn, axis=0)))
            free = (seeds - 1) * (units - 1)
            left: Any = np.sum([term.weight * term.residual() for term in terms], axis=0)
            residual = float((left**2).sum()) * seeds * units / free
            if by_seed > residual:
                variance += by_seed - residual
                parts += [(by_seed, seeds - 1), (residual, free)]
    below = sum(part * part / df for part, df in parts)
    return math.sqrt(variance), max(1.0, variance * variance / below) if below else units - 1.0


def _summed(terms: Sequence[_Term], weights: Any, axis: int) -> Any:  # noqa: ANN401  # arrays
    """The contrast under each row of weights of the seeds (axis 0) or of the units (axis 1)."""
    import numpy as np

    return np.sum([term.weight * term.drawn(weights, axis) for term in terms], axis=0)


def _drawn(rng: Generator, draws: int, units: int) -> Any:  # noqa: ANN401  # array
    """How often each unit was drawn when n - 1 of n are; shape (draws, units)."""
    return rng.multinomial(units - 1, [1 / units] * units, size=draws).astype(float)


def _ends(value: float, error: float, df: float, terms: Sequence[tuple[float, Outcomes]], estimator: Estimator) -> Interval:
    if math.isnan(value) or df == 0:
        most = sum(abs(weight) for weight, _ in terms)
        return Interval(low=-most, high=most)
    if error:
        reach = student.quantile(0.975, df) * error
        return Interval(low=value - reach, high=value + reach)
    return _without_spread(value, terms, estimator)


def _without_spread(value: float, terms: Sequence[tuple[float, Outcomes]], estimator: Estimator) -> Interval:
    """Every unit says the same, such as 0 of everything: the interval that follows from each mean's own (Newcombe 1998, method 10)."""
    below = above = 0.0
    for weight, each in terms:
        mean = mean_of(each, estimator)
        ends = wilson(mean, len(each.tasks))
        down, up = mean - ends.low, ends.high - mean
        below += (weight * (down if weight > 0 else up)) ** 2
        above += (weight * (up if weight > 0 else down)) ** 2
    return Interval(low=value - math.sqrt(below), high=value + math.sqrt(above))


def _p_value(value: float, error: float, df: float, units: int) -> float:
    if math.isnan(value) or df == 0:
        return 1.0
    if error:
        return student.two_sided(value / error, df)
    return binomial_two_sided(0, units) if value else 1.0
