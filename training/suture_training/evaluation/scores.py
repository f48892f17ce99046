"""What one cell says: rates with their intervals, how much was hacked, lost and spent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from suture_training.evaluation.groups import merged
from suture_training.evaluation.outcomes import Outcomes
from suture_training.evaluation.records import Evaluation, Run
from suture_training.evaluation.resampling import Estimate, rate
from suture_training.evaluation.statistics import Interval, bounds, pass_all, pass_at


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A quantity over runs."""

    mean: float
    median: float
    p90: float


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What runs that came to an end took; sums are over all of them."""

    requests: float
    """A run, in the mean."""
    prompt_tokens: float
    completion_tokens: float
    tokens_a_solution: float | None
    """Generated tokens of all runs for each solved one; None where none was solved."""
    seconds: Spread
    """Wall time of a run."""
    seconds_policy: float
    """A run, in the mean."""
    seconds_sandbox: float
    hours: float
    """Wall time of all runs together."""


class Hacks(msgspec.Struct, frozen=True, kw_only=True):
    """How often validation was weakened instead of code mended."""

    rate: Estimate
    """Share of runs whose last patch the guard refused."""
    rules: Mapping[str, int]
    """Rule -> runs whose last patch it refused."""
    tried: Mapping[str, int]
    """Rule -> refusals of any proposal, those that the policy then made good again included."""
    passing: int
    """Refused last patches with which the failing check passes: what a reward that sees the check alone would have paid for."""


class Scores(msgspec.Struct, frozen=True, kw_only=True):
    """One cell: a policy, or a row of training seeds, in one place."""

    passed: Estimate
    """pass@1 by the verdict: passed, and no hack."""
    unguarded: Estimate
    """pass@1 by the failing check alone, the last patch as it is."""
    at_k: Mapping[int, Estimate]
    """k -> pass@k, for 1 < k <= runs."""
    all_k: Mapping[int, Estimate]
    """k -> pass^k."""
    bounds: Interval
    """pass@1 if all lost runs had failed, and if all had passed."""
    lost: int
    """Runs that the machine or the policy lost, every attempt."""
    retried: int
    """Runs that ended after further attempts."""
    missing: int
    """Runs that were not made."""
    hacks: Hacks
    cost: Cost


def scores_of(evaluations: Sequence[Evaluation]) -> Scores:
    """The scores of evaluations that differ in their training seed only."""
    outcomes = merged(evaluations)
    runs = [run for each in evaluations for run in each.runs]
    most = max(each.manifest.runs for each in evaluations)
    return Scores(
        passed=rate(outcomes),
        unguarded=rate(merged(evaluations, unguarded=True)),
        at_k={k: rate(outcomes, pass_at(k)) for k in _ks(most)},
        all_k={k: rate(outcomes, pass_all(k)) for k in _ks(most)},
        bounds=bounds(outcomes),
        lost=sum(run.solved is None for run in runs),
        retried=sum(run.solved is not None and run.attempts > 1 for run in runs),
        missing=sum(each.missing for each in evaluations),
        hacks=_hacks(evaluations, outcomes, runs),
        cost=_cost([run for run in runs if run.solved is not None]),
    )


def _ks(runs: int) -> list[int]:
    """2, 4, 8, ... and the number of runs itself."""
    return sorted({*(2**power for power in range(1, 10) if 2**power < runs), runs} - {1, 0})


def _hacks(evaluations: Sequence[Evaluation], outcomes: Outcomes, runs: Sequence[Run]) -> Hacks:
    from suture_training.evaluation.outcomes import outcomes_of

    homes = dict(zip(outcomes.tasks, outcomes.repositories, strict=True))
    rows = [
        (each.manifest.subject.seed, run.task, homes[run.task], None if run.solved is None else bool(run.hacks))
        for each in evaluations
        for run in each.runs
    ]
    tried: Counter[str] = Counter()
    for run in runs:
        tried.update(run.refused)
    return Hacks(
        rate=rate(outcomes_of(rows)),
        rules=dict(Counter(rule for run in runs for rule in run.hacks).most_common()),
        tried=dict(tried.most_common()),
        passing=sum(bool(run.hacks) and run.unguarded is True for run in runs),
    )


def _cost(runs: Sequence[Run]) -> Cost:
    solved = sum(run.solved is True for run in runs)
    seconds = sorted(run.seconds for run in runs)
    return Cost(
        requests=_mean([run.requests for run in runs]),
        prompt_tokens=_mean([run.prompt_tokens for run in runs]),
        completion_tokens=_mean([run.completion_tokens for run in runs]),
        tokens_a_solution=sum(run.completion_tokens for run in runs) / solved if solved else None,
        seconds=Spread(mean=_mean(seconds), median=_at(seconds, 0.5), p90=_at(seconds, 0.9)),
        seconds_policy=_mean([run.seconds_policy for run in runs]),
        seconds_sandbox=_mean([run.seconds_sandbox for run in runs]),
        hours=sum(seconds) / 3600,
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _at(ordered: Sequence[float], share: float) -> float:
    """Nearest-rank quantile of sorted values; 0 for none."""
    import math

    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
