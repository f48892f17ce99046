"""Two policies on the same tasks: differences, tests, bounds, and what the size was good for."""

from __future__ import annotations

import msgspec
import pytest

from suture_training.evaluation.compare import compare
from suture_training.evaluation.errors import MismatchError, NotComparable
from suture_training.evaluation.records import Control


def test_the_second_minus_the_first(evaluation_of):
    first = evaluation_of("a", ["nn", "yn", "yy", "nn"] * 5)
    second = evaluation_of("b", ["yn", "yy", "yn", "nn"] * 5, method="sft", policy={"adapter": "c"})
    found = compare([first], [second])
    assert found.difference.value == pytest.approx((0.5 + 0.5 - 0.5 + 0) / 4)
    assert (len(found.gained), len(found.lost)) == (10, 5)
    assert found.at_k[2].value == pytest.approx(0.25)
    assert found.all_k[2].value == pytest.approx((0 + 1 - 1 + 0) / 4)
    assert found.mcnemar is None
    assert found.difference.low <= found.difference.value <= found.difference.high
    assert [each.field for each in found.differs] == ["policy.adapter", "policy.name"]
    assert (found.size.tasks, found.size.runs) == (20, 2)


def test_single_runs_get_mcnemars_test(evaluation_of):
    found = compare([evaluation_of("a", list("nnnnnnyy"))], [evaluation_of("b", list("yyyyyyyn"))])
    assert (found.mcnemar.gained, found.mcnemar.lost) == (6, 1)
    assert found.mcnemar.p == pytest.approx(2 * 8 / 128)


def test_lost_runs_are_in_no_rate_and_widen_the_bounds(evaluation_of):
    found = compare([evaluation_of("a", ["yx", "nn"])], [evaluation_of("b", ["yy", "xn"])])
    assert found.difference.value == pytest.approx(0)
    assert found.bounds.low == pytest.approx(0.5 - 0.5)
    assert found.bounds.low == pytest.approx((1 + 0) / 2 - (1 + 0) / 2)
    assert found.bounds.high == pytest.approx((1 + 0.5) / 2 - (0.5 + 0) / 2)
    assert [each.lost for each in found.scores] == [1, 1]


def test_hacks_count_without_the_guard_only(evaluation_of):
    found = compare([evaluation_of("a", ["yn", "nn"])], [evaluation_of("b", ["yh", "hh"])])
    assert found.difference.value == 0
    assert found.unguarded.value == pytest.approx(1 - 0.25)
    hacks = found.scores[1].hacks
    assert (hacks.rate.value, hacks.passing, hacks.rules, hacks.tried) == (
        0.75,
        3,
        {"suppressions-comment": 3},
        {"suppressions-comment": 6},
    )


def test_training_seeds_are_taken_together(evaluation_of):
    raw = evaluation_of("raw", ["nn", "yn", "nn", "yy"])
    trained = [evaluation_of(f"rl{seed}", ["yy", "yn", "yn", "yy"], method="rl", seed=seed) for seed in "123"]
    found = compare([raw], trained)
    assert found.difference.seeds == 3
    assert found.difference.value == pytest.approx((1 + 0 + 0.5 + 0) / 4)


def test_one_seed_twice_is_refused(evaluation_of):
    twice = [evaluation_of(name, ["y"], method="rl", seed="1") for name in "ab"]
    with pytest.raises(NotComparable, match="same training seed"):
        compare([evaluation_of("raw", ["y"])], twice)


def test_other_fields_are_refused_unless_they_are_named(evaluation_of):
    first = evaluation_of("a", ["yn", "ny"])
    second = evaluation_of("b", ["yn", "yy"], harness={"thinking": True})
    with pytest.raises(MismatchError, match=r"harness\.thinking"):
        compare([first], [second])
    assert compare([first], [second], named=["policy", "harness.thinking"]).difference.value == pytest.approx(0.25)


def test_what_says_nothing_is_refused(evaluation_of):
    wrong = [Control(kind="gold", task="t000", holds=False, reason="still failing")] * 2
    with pytest.raises(NotComparable, match="drifted"):
        compare([evaluation_of("a", ["y"], controls=wrong)], [evaluation_of("b", ["y"])])
    other = evaluation_of("d", ["y"])
    manifest = msgspec.structs.replace(other.manifest, tasks=(msgspec.structs.replace(other.manifest.tasks[0], id="else"),))
    renamed = msgspec.structs.replace(other, manifest=manifest, runs=(msgspec.structs.replace(other.runs[0], task="else"),))
    with pytest.raises(NotComparable, match="no task in common"):
        compare([evaluation_of("c", ["y"])], [renamed], named=["policy", "tasks"])


def test_cost_is_of_the_runs_that_ended(evaluation_of):
    cost = compare([evaluation_of("a", ["yn", "nx"])], [evaluation_of("b", ["yn", "nn"])]).scores[0].cost
    assert (cost.requests, cost.completion_tokens, cost.tokens_a_solution) == (3, 20, 60)
    assert (cost.seconds.median, cost.seconds.p90) == (2.0, 3.0)
    assert compare([evaluation_of("c", ["n"])], [evaluation_of("d", ["n"])]).scores[0].cost.tokens_a_solution is None
