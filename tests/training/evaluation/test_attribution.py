"""Attribution: one factor at a time, what is harder for everybody taken off, and variants that differ in exactly what they say."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.harness import harness_for
from suture_agent.policies import Capability
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.identity import differences
from suture_training.evaluation.attribution import attribute, factors_missing
from suture_training.evaluation.errors import NotComparable
from suture_training.evaluation.identity import FACTORS, factor_of
from suture_training.evaluation.variants import VARIATIONS, variants

TOOLS = Capability(context=9000, tools=True, prefill=True)


def share(solved, tasks=12):
    return ["y"] * solved + ["n"] * (tasks - solved)


def trained(evaluation_of, name, solved, seed="1", **changed):
    return evaluation_of(name, share(solved), method="rl", trained_in="simplified", seed=seed, policy={"adapter": f"rl{seed}"}, **changed)


SHORT = {"harness": {"budgets": {"steps": 2, "tokens": 400, "retries": 3}}}
WORDED = {"harness": {"prompts": {"line_system": "bb"}}}
DRIFTED = {"environment": {"dependencies": {"pytest": {"version": "9"}}}}


def test_every_factor_has_its_cost_and_the_dearest_comes_first(evaluation_of):
    base = [trained(evaluation_of, "base", 9)]
    others = [
        trained(evaluation_of, "short", 7, **SHORT),
        trained(evaluation_of, "worded", 3, **WORDED),
        trained(evaluation_of, "unpinned", 9, **DRIFTED),
    ]
    found = attribute(base, others)
    assert [(each.factor, round(each.cost.value * 12)) for each in found.costs] == [("prompt", 6), ("budget", 2), ("pinning", 0)]
    assert [[field.field for field in each.fields] for each in found.costs] == [
        ["harness.prompts.line_system"],
        ["harness.budgets.steps"],
        ["environment.dependencies.pytest.version"],
    ]
    assert all(each.p >= each.cost.p and each.harder is None and each.paired for each in found.costs)
    assert found.costs[0].p == pytest.approx(3 * found.costs[0].cost.p)
    assert (found.row, found.base, found.tasks) == ("RL (simplified)", "simplified", 12)
    assert factors_missing(found, {"prompt": "", "judge": ""}) == ("judge",)


def test_what_is_harder_for_the_raw_policy_too_is_no_mismatch(evaluation_of):
    base = [trained(evaluation_of, "base", 9), evaluation_of("raw", share(5))]
    others = [trained(evaluation_of, "short", 5, **SHORT), evaluation_of("raw-short", share(2), **SHORT)]
    (only,) = attribute(base, others).costs
    assert only.harder.value == pytest.approx(3 / 12)
    assert only.cost.value == pytest.approx((9 - 5 - (5 - 2)) / 12)


def test_several_variants_of_one_factor_are_several_costs(evaluation_of):
    shorter = {"harness": {"budgets": {"steps": 1, "tokens": 400, "retries": 3}}}
    found = attribute(
        [trained(evaluation_of, "base", 9)], [trained(evaluation_of, "two", 7, **SHORT), trained(evaluation_of, "one", 4, **shorter)]
    )
    assert [(each.factor, each.fields[0].after) for each in found.costs] == [("budget", "1"), ("budget", "2")]


def test_training_seeds_are_taken_together_and_paired_with_their_own_base(evaluation_of):
    base = [trained(evaluation_of, f"base{seed}", 8 + int(seed), seed=seed) for seed in "123"]
    others = [trained(evaluation_of, f"short{seed}", 6 + int(seed), seed=seed, **SHORT) for seed in "12"]
    (only,) = attribute(base, others).costs
    assert only.cost.seeds == 2
    assert only.base.value == pytest.approx(9.5 / 12)
    assert only.cost.value == pytest.approx(2 / 12)


def test_a_task_filter_is_compared_unpaired(evaluation_of):
    selection = {"split": "test", "initial_build_seconds_below": 100}
    base = trained(evaluation_of, "base", 6)
    kept = msgspec.structs.replace(base.manifest, tasks=base.manifest.tasks[:8], selection=selection)
    fewer = msgspec.structs.replace(base, manifest=kept, runs=tuple(run for run in base.runs if run.task < "t008"))
    (only,) = attribute([base], [fewer]).costs
    assert only.factor == "task filter"
    assert not only.paired
    assert only.cost.value == pytest.approx(6 / 12 - 6 / 8)


def test_fewer_runs_of_a_variant_are_no_factor(evaluation_of):
    base = trained(evaluation_of, "base", 9)
    again = [msgspec.structs.replace(run, run=run.run + 1) for run in base.runs]
    twice = msgspec.structs.replace(base, manifest=msgspec.structs.replace(base.manifest, runs=2), runs=(*base.runs, *again))
    (only,) = attribute([twice], [trained(evaluation_of, "short", 7, **SHORT)]).costs
    assert (only.factor, [field.field for field in only.fields]) == ("budget", ["harness.budgets.steps"])
    assert only.cost.value == pytest.approx(2 / 12)


def test_two_factors_at_once_are_refused_by_name(evaluation_of):
    both = {"harness": {**SHORT["harness"], **WORDED["harness"]}}
    with pytest.raises(NotComparable, match=r"budget \(harness\.budgets\.steps\), prompt \(harness\.prompts\.line_system\)"):
        attribute([trained(evaluation_of, "base", 9)], [trained(evaluation_of, "both", 9, **both)])
    with pytest.raises(NotComparable, match="in nothing"):
        attribute([trained(evaluation_of, "base2", 9)], [trained(evaluation_of, "same", 9)])


def test_another_chat_template_is_one_factor_of_the_same_policy(evaluation_of):
    base = trained(evaluation_of, "base", 9)
    subject = base.manifest.subject
    served = msgspec.structs.replace(subject, policy=msgspec.structs.replace(subject.policy, template="b" * 64))
    harness = {**base.manifest.harness, "template": "b" * 64}
    other = msgspec.structs.replace(base, manifest=msgspec.structs.replace(base.manifest, subject=served, harness=harness))
    (only,) = attribute([base], [other]).costs
    assert only.factor == "template"
    assert {each.field for each in only.fields} == {"harness.template", "policy.template"}


def test_another_policy_is_refused(evaluation_of):
    with pytest.raises(NotComparable, match="which the base does not"):
        attribute([trained(evaluation_of, "base", 9)], [trained(evaluation_of, "other", 9, seed="7", **SHORT)])
    with pytest.raises(NotComparable, match="several rows"):
        attribute([trained(evaluation_of, "base2", 9), evaluation_of("sft", share(3), method="sft")], [])


# --- variants

BASES = {
    "agent": harness_for(TOOLS, preset="agent"),
    "direct": harness_for(TOOLS, preset="direct"),
    "line": harness_for(TOOLS, preset="line"),
    "line, drawn": msgspec.structs.replace(
        harness_for(TOOLS, preset="line"),
        sampling=msgspec.structs.replace(harness_for(TOOLS, preset="line").sampling, temperature_milli=1000),
    ),
    "retrying": msgspec.structs.replace(harness_for(TOOLS, preset="line"), pipeline="full"),
}


@pytest.mark.parametrize("base", BASES.values(), ids=BASES)
def test_a_variant_differs_from_its_base_in_the_factor_that_it_names_and_in_no_other(base):
    made = variants(base)
    assert made
    for each in made:
        assert {factor_of(f"harness.{field.field}") for field in differences(base, each.harness)} == {each.factor}
        assert each.harness.identity != base.identity
    assert len({each.harness.identity for each in made}) == len(made)


def test_every_variation_is_of_use_somewhere_and_of_a_known_factor():
    assert {each.name for base in BASES.values() for each in variants(base)} == {each.name for each in VARIATIONS}
    assert {each.factor for each in VARIATIONS} <= set(FACTORS)


def test_presets_have_no_variants_of_what_they_do_not_have():
    names = {name: {each.name for each in variants(base)} for name, base in BASES.items()}
    assert {"no-shell", "no-check", "plain-prompt", "half-observation"} <= names["agent"]
    assert "no-shell" not in names["line"]
    assert "no-rules" in names["direct"]
    assert "no-rules" not in names["line"]
    assert "greedy" in names["line, drawn"]
    assert "greedy" not in names["line"]
    assert "no-retries" in names["retrying"]


def test_variants_are_chosen_by_name():
    assert [each.name for each in variants(BASES["line"], ["half-steps"])] == ["half-steps"]
    with pytest.raises(ConfigurationError, match="no variation named 'half'"):
        variants(BASES["line"], ["half"])
    with pytest.raises(ConfigurationError, match="means nothing for the preset line") as error:
        variants(BASES["line"], ["no-shell"])
    assert "plain-prompt" in error.value.remedy
