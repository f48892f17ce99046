"""Attribution: what each single mismatch between training and use costs, which the seed's experiment could not say.

A base evaluation and others of the same policy, each of which differs from it in one factor of the identity. The cost of a factor is the
difference in pass@1 (base minus variant). A harder variant is harder for everybody: where the raw policy was measured in base and variant
too, its own difference is taken off, and what is left is the cost of the mismatch itself. Intervals as everywhere; Holm over the family.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from suture_sandbox.identity import Difference
from suture_training.evaluation.errors import NotComparable
from suture_training.evaluation.groups import label_of, merged, refuse_drifted
from suture_training.evaluation.identity import covers, factor_of, fields_that_differ
from suture_training.evaluation.outcomes import Outcomes
from suture_training.evaluation.records import Evaluation, Subject
from suture_training.evaluation.resampling import Estimate, contrast, rate
from suture_training.evaluation.statistics import holm

FILE = "attribution.json"

Key = tuple[tuple[str, str | None], ...]
"""The fields of a variant with their values: several variants may be of one factor."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What one mismatch costs."""

    factor: str
    fields: tuple[Difference, ...]
    """In what the variant differs from the base."""
    base: Estimate
    """pass@1."""
    variant: Estimate
    cost: Estimate
    """Positive: the policy solves less in the variant."""
    harder: Estimate | None
    """What the variant costs the raw policy, taken off the cost; None where the raw policy was not measured in it."""
    p: float
    """Adjusted by Holm over all factors."""
    paired: bool
    """Whether both were measured on the same tasks; a task filter changes them."""


class Attribution(msgspec.Struct, frozen=True, kw_only=True):
    """The table of costs, dearest first."""

    row: str
    """Whose costs they are."""
    base: str
    """Where it was trained and measured."""
    costs: tuple[Cost, ...]
    seeds: tuple[str, ...]
    tasks: int
    runs: int


def attribute(base: Sequence[Evaluation], others: Sequence[Evaluation]) -> Attribution:
    """Costs of the factors in which `others` differ from `base`; raw policies among both are the reference.

    Raises NotComparable for an evaluation that differs in no factor, or in more than one.
    """
    refuse_drifted([*base, *others])
    trained = [each for each in base if each.manifest.subject.method != "raw"] or list(base)
    reference = [each for each in base if each not in trained]
    if len({label_of(each) for each in trained}) > 1:
        raise NotComparable("the base holds several rows", remedy="name the folders of one trained row, and of the raw policy")
    row = label_of(trained[0])
    groups: dict[Key, list[Evaluation]] = {}
    references: dict[Key, list[Evaluation]] = {}
    for each in others:
        raw = each.manifest.subject.method == "raw" and row.method != "raw"
        partner = _partner(each, reference if raw else trained)
        if partner is not None:
            (references if raw else groups).setdefault(_key(partner, each), []).append(each)
    found = [_cost(trained, groups[key], reference, references.get(key, [])) for key in groups]
    adjusted = holm([each.cost.p for each in found])
    costs = [msgspec.structs.replace(each, p=p) for each, p in zip(found, adjusted, strict=True)]
    counts = merged(trained)
    return Attribution(
        row=row.name,
        base=trained[0].manifest.tested_in,
        costs=tuple(sorted(costs, key=lambda each: -each.cost.value)),
        seeds=counts.seeds,
        tasks=len(counts.tasks),
        runs=trained[0].manifest.runs,
    )


def _partner(other: Evaluation, base: Sequence[Evaluation]) -> Evaluation | None:
    """The base evaluation of the same policy; None for a raw one that the base has no counterpart of."""
    subject = other.manifest.subject
    found = next((each for each in base if _served(each.manifest.subject) == _served(subject)), None)
    if found is None and subject.method != "raw":
        raise NotComparable(
            f"{other.folder} measures {subject.policy.name} (training seed {subject.seed or 'none'}), which the base does not",
            remedy="measure the same policy in base and variant, with the same labels",
        )
    return found


def _varied(base: Evaluation, other: Evaluation) -> tuple[Difference, ...]:
    """The fields that a cost is put down to. How often a task was run says how sure its rate is, not what it is."""
    return tuple(each for each in fields_that_differ(base.manifest, other.manifest) if each.field != "evaluation.runs")


def _key(base: Evaluation, other: Evaluation) -> Key:
    fields = _varied(base, other)
    factors = {factor_of(each.field) for each in fields}
    if len(factors) != 1:
        named = ", ".join(
            f"{factor} ({', '.join(each.field for each in fields if factor_of(each.field) == factor)})" for factor in sorted(factors)
        )
        raise NotComparable(
            f"{other.folder} differs from {base.folder} in {named or 'nothing'}: a cost could not be told apart",
            remedy="vary one factor at a time: suture eval run --variant NAME",
        )
    return tuple((each.field, each.after) for each in fields)


def _cost(
    trained: Sequence[Evaluation], variant: Sequence[Evaluation], raw: Sequence[Evaluation], raw_variant: Sequence[Evaluation]
) -> Cost:
    seeds = {each.manifest.subject.seed for each in variant}
    before, after = merged([each for each in trained if each.manifest.subject.seed in seeds]), merged(variant)
    fields = _varied(_partnered(trained, variant[0]), variant[0])
    paired = not any(covers("tasks", each.field) for each in fields)
    terms: list[tuple[float, Outcomes]] = [(1.0, before), (-1.0, after)]
    harder = None
    if raw and raw_variant:
        easy, hard = merged(raw), merged(raw_variant)
        harder = contrast([(1.0, easy), (-1.0, hard)], paired=paired)
        terms += [(-1.0, easy), (1.0, hard)]
    cost = contrast(terms, paired=paired)
    return Cost(
        factor=factor_of(fields[0].field),
        fields=fields,
        base=rate(before),
        variant=rate(after),
        cost=cost,
        harder=harder,
        p=cost.p,
        paired=paired,
    )


def _partnered(base: Sequence[Evaluation], other: Evaluation) -> Evaluation:
    return next(each for each in base if _served(each.manifest.subject) == _served(other.manifest.subject))


def _served(subject: Subject) -> Subject:
    """Who is measured, whatever chat template it is served with: that may be what is varied."""
    return msgspec.structs.replace(subject, policy=msgspec.structs.replace(subject.policy, template=""))


def factors_missing(attribution: Attribution, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """Those of the wanted factors that no evaluation varied."""
    return tuple(factor for factor in wanted if all(each.factor != factor for each in attribution.costs))
