"""Two policies side by side, on the same tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from suture_sandbox.identity import Difference
from suture_training.evaluation.errors import NotComparable
from suture_training.evaluation.groups import merged, refuse_drifted, refuse_mixed
from suture_training.evaluation.identity import fields_that_differ, refuse_mismatch
from suture_training.evaluation.outcomes import Outcomes
from suture_training.evaluation.power import Sizing, fitted, sizing
from suture_training.evaluation.records import Evaluation
from suture_training.evaluation.resampling import Estimate, contrast
from suture_training.evaluation.scores import Scores, scores_of
from suture_training.evaluation.statistics import Interval, McNemar, bounds, mcnemar, pass_all, pass_at

BETWEEN_POLICIES = ("policy",)
"""What two compared runs may differ in where nobody says otherwise."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """The second minus the first."""

    names: tuple[str, str]
    scores: tuple[Scores, Scores]
    difference: Estimate
    """In pass@1, on the tasks that both have."""
    at_k: Mapping[int, Estimate]
    all_k: Mapping[int, Estimate]
    unguarded: Estimate
    """In what the failing check alone lets pass."""
    bounds: Interval
    """The difference if lost runs had gone against the second one, and if they had gone against the first."""
    mcnemar: McNemar | None
    """Only where each task was run once by one policy."""
    gained: tuple[str, ...]
    """Tasks with a higher share of solved runs."""
    lost: tuple[str, ...]
    differs: tuple[Difference, ...]
    """The fields in which the two differ; all of them were named."""
    size: Sizing
    """What this size can see, and what it takes to see the difference that was found."""


def compare(first: Sequence[Evaluation], second: Sequence[Evaluation], *, named: Sequence[str] = BETWEEN_POLICIES) -> Comparison:
    """Compare two rows, each of one or several training seeds. Raises MismatchError and NotComparable."""
    refuse_drifted([*first, *second])
    refuse_mixed(first, ("policy",))
    refuse_mixed(second, ("policy",))
    refuse_mismatch(first[0].manifest, second[0].manifest, named, (str(first[0].folder), str(second[0].folder)))
    before, after = merged(first), merged(second)
    if not set(before.tasks) & set(after.tasks):
        raise NotComparable(f"{first[0].folder} and {second[0].folder} have no task in common", remedy="measure both on the same task set")
    scores = scores_of(first), scores_of(second)
    difference = contrast([(1, after), (-1, before)])
    gained, lost = _moved(before, after)
    low, high = bounds(before), bounds(after)
    return Comparison(
        names=(str(first[0].folder), str(second[0].folder)),
        scores=scores,
        difference=difference,
        at_k={k: contrast([(1, after), (-1, before)], pass_at(k)) for k in scores[0].at_k.keys() & scores[1].at_k.keys()},
        all_k={k: contrast([(1, after), (-1, before)], pass_all(k)) for k in scores[0].all_k.keys() & scores[1].all_k.keys()},
        unguarded=contrast([(1, merged(second, unguarded=True)), (-1, merged(first, unguarded=True))]),
        bounds=Interval(low=high.low - low.high, high=high.high - low.low),
        mcnemar=mcnemar(before, after) if before.single and after.single else None,
        gained=gained,
        lost=lost,
        differs=fields_that_differ(first[0].manifest, second[0].manifest),
        size=_size(before, after, difference),
    )


def _size(before: Outcomes, after: Outcomes, difference: Estimate) -> Sizing:
    """With the tasks' own spread, as the weaker of the two shows it."""
    weaker = before if difference.value >= 0 else after
    common = weaker.restricted(set(before.tasks) & set(after.tasks))
    runs = round(float(common.ended.sum()) / max(1, common.ended.size))
    return sizing(difference.tasks, max(1, runs), difference.value, shape=fitted(common))


def _moved(before: Outcomes, after: Outcomes) -> tuple[tuple[str, ...], tuple[str, ...]]:
    shares: list[dict[str, float]] = []
    for each in (before, after):
        ended = each.ended.sum(axis=0)
        shares.append({task: float(each.solved[:, at].sum() / ended[at]) for at, task in enumerate(each.tasks) if ended[at]})
    common = sorted(shares[0].keys() & shares[1].keys())
    gained = tuple(task for task in common if shares[1][task] > shares[0][task])
    return gained, tuple(task for task in common if shares[1][task] < shares[0][task])
