"""Estimators and tests against closed forms, enumeration and published values."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

import pytest
from evaluations import outcomes

from suture_training.evaluation import student
from suture_training.evaluation.statistics import binomial_two_sided, bounds, holm, mcnemar, mean_of, pass_all, pass_at, wilson


def enumerated(solved, ended, k, want):
    """Share of all k-subsets of the runs of which `want` (any, all) hold."""
    runs = [1] * solved + [0] * (ended - solved)
    picks = list(itertools.combinations(runs, k))
    return sum(want(pick) for pick in picks) / len(picks)


@pytest.mark.parametrize("k", [1, 2, 3, 5])
def test_pass_at_k_and_pass_all_k_are_what_counting_subsets_gives(k):
    for ended in range(k, 7):
        for solved in range(ended + 1):
            assert float(pass_at(k)(solved, ended)) == pytest.approx(enumerated(solved, ended, k, any))
            assert float(pass_all(k)(solved, ended)) == pytest.approx(enumerated(solved, ended, k, all))


def test_too_few_runs_say_nothing_about_k():
    assert math.isnan(float(pass_at(3)(2, 2)))
    assert math.isnan(float(pass_all(1)(0, 0)))
    assert not math.isnan(float(pass_at(2)(2, 2)))


def test_pass_at_one_is_the_mean_of_the_shares():
    assert mean_of(outcomes([[0, 1, 4]], runs=4)) == pytest.approx((0 + 0.25 + 1) / 3)


@pytest.mark.parametrize(
    ("df", "p", "t"),  # Student's table, and the closed forms of 1 and 2 degrees of freedom
    [
        (1, 0.975, math.tan(math.pi * 0.475)),
        (2, 0.975, (2 * 0.975 - 1) * math.sqrt(2 / (1 - (2 * 0.975 - 1) ** 2))),
        (10, 0.975, 2.228138852),
        (30, 0.995, 2.749995654),
        (math.inf, 0.975, NormalDist().inv_cdf(0.975)),
        (5, 0.5, 0.0),
    ],
)
def test_students_quantiles(df, p, t):
    assert student.quantile(p, df) == pytest.approx(t, abs=1e-8)
    assert student.cdf(t, df) == pytest.approx(p, abs=1e-9)
    assert student.quantile(1 - p, df) == pytest.approx(-t, abs=1e-8)


def test_students_distribution_between_whole_degrees_of_freedom():
    assert student.quantile(0.975, 2) > student.quantile(0.975, 2.5) > student.quantile(0.975, 3)
    assert student.two_sided(-2.228138852, 10) == pytest.approx(0.05, abs=1e-8)
    assert student.cdf(3.0, 1.0) == pytest.approx(0.5 + math.atan(3) / math.pi)


def test_wilson_against_the_published_example():
    found = wilson(81 / 263, 263)  # Newcombe 1998, Statistics in Medicine 17:857, table I, method 3
    assert (found.low, found.high) == (pytest.approx(0.2553, abs=5e-5), pytest.approx(0.3662, abs=5e-5))
    nothing = wilson(0.0, 20)
    assert nothing.low == 0
    assert nothing.high == pytest.approx(1.959964**2 / (20 + 1.959964**2), abs=1e-6)
    assert (wilson(0.5, 0).low, wilson(0.5, 0).high) == (0, 1)


def test_mcnemar_is_a_coin_on_the_pairs_that_differ():
    first = outcomes([[1, 1, 0, 0, 0, 0, 0, 0, 0, 1]])
    second = outcomes([[1, 0, 1, 1, 1, 1, 1, 1, 0, 1]])
    found = mcnemar(first, second)
    assert (found.gained, found.lost) == (6, 1)
    assert found.p == pytest.approx(2 * (1 + 7) / 2**7)
    assert mcnemar(first, first).p == 1.0


def test_mcnemar_leaves_lost_runs_out():
    first = outcomes([[0, 0, 1]], lost=[[1, 0, 0]])
    second = outcomes([[1, 1, 1]])
    assert (mcnemar(first, second).gained, mcnemar(first, second).lost) == (1, 0)


def test_mcnemar_is_refused_for_several_runs_or_several_seeds():
    once = outcomes([[0, 1]])
    for other in (outcomes([[0, 3]], runs=4), outcomes([[0, 1], [1, 1]])):
        with pytest.raises(ValueError, match="single runs"):
            mcnemar(once, other)
        with pytest.raises(ValueError, match="single runs"):
            mcnemar(other, once)


def test_exact_binomial_values():
    assert binomial_two_sided(0, 0) == 1
    assert binomial_two_sided(0, 5) == pytest.approx(2 / 32)
    assert binomial_two_sided(5, 10) == 1
    assert binomial_two_sided(2, 12) == pytest.approx(2 * (1 + 12 + 66) / 4096)


def test_holm_steps_down_in_the_order_given():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))  # Holm's own rule by hand
    assert holm([0.9, 0.8]) == (1.0, 1.0)
    assert holm([]) == ()
    assert holm([0.02]) == (0.02,)


def test_lost_runs_move_the_result_between_two_bounds():
    counts = outcomes([[1, 0]], runs=4, lost=[[2, 1]])  # 1 of 2 ended, 0 of 3
    assert mean_of(counts) == pytest.approx((1 / 2 + 0) / 2)
    found = bounds(counts)
    assert (found.low, found.high) == (pytest.approx((1 / 4 + 0) / 2), pytest.approx((3 / 4 + 1 / 4) / 2))


def test_a_task_that_lost_everything_is_in_no_mean_but_in_the_bounds():
    counts = outcomes([[2, 0]], runs=2, lost=[[0, 2]])
    assert mean_of(counts) == 1.0
    assert (bounds(counts).low, bounds(counts).high) == (0.5, 1.0)
