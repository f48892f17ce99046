"""Intervals: against closed forms, and by how often they hold the truth in simulations (seeded, so that they say the same every time)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from evaluations import outcomes
from intervals import drawn, simulated

from suture_training.evaluation import student
from suture_training.evaluation.outcomes import Outcomes
from suture_training.evaluation.resampling import contrast, rate
from suture_training.evaluation.statistics import pass_all, pass_at, wilson


def shares(values, repositories=(), seeds=()):
    """Outcomes of 100 runs a task with these shares."""
    return outcomes(np.round(np.atleast_2d(values) * 100).astype(int), runs=100, repositories=repositories, seeds=seeds)


def test_one_run_a_task_gives_the_textbooks_standard_error():
    values = np.array([1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0])
    found = contrast([(1, outcomes([values]))], draws=20_000)
    assert found.value == pytest.approx(values.mean())
    assert found.error == pytest.approx(values.std(ddof=1) / math.sqrt(len(values)), rel=0.03)
    assert found.unit == "repository"


def test_clusters_give_millers_standard_error():
    """Miller 2024 (arXiv 2411.00640), equation for clustered standard errors, with clusters of one size and n - 1 for n of them."""
    rng = np.random.default_rng(0)
    clusters, size = 12, 5
    values = np.round(np.clip(np.repeat(rng.uniform(0, 1, clusters), size) + rng.normal(0, 0.1, clusters * size), 0, 1), 2)
    homes = [f"r{at // size:02}" for at in range(clusters * size)]
    deviations = (values - values.mean()).reshape(clusters, size).sum(axis=1)
    expected = math.sqrt((deviations**2).sum() * clusters / (clusters - 1)) / len(values)
    found = contrast([(1, shares(values, homes))], draws=20_000)
    assert found.error == pytest.approx(expected, rel=0.03)
    assert (found.repositories, found.tasks, found.df) == (clusters, 60, clusters - 1)
    assert found.error > 1.5 * contrast([(1, shares(values))], draws=4000).error, "clusters must count"


def test_pairs_cancel_what_tasks_have_in_common():
    rng = np.random.default_rng(1)
    base = np.round(rng.uniform(0, 0.8, 50), 2)
    first, second = shares(base), shares(base + np.round(rng.normal(0.1, 0.02, 50), 2))
    paired = contrast([(1, second), (-1, first)])
    alone = math.hypot(contrast([(1, second)]).error, contrast([(1, first)]).error)
    assert paired.value == pytest.approx(0.1, abs=0.01)
    assert paired.error < alone / 10
    assert paired.low > 0.08
    assert paired.p < 1e-6


def test_the_interaction_is_one_number_over_four_cells():
    base = np.linspace(0.1, 0.5, 40)
    cells = [shares(base + shift) for shift in (0.3, 0.0, 0.1, 0.05)]
    found = contrast(list(zip((1, -1, -1, 1), cells, strict=True)))
    assert found.value == pytest.approx(0.3 - 0.0 - (0.1 - 0.05))
    assert found.low <= found.value <= found.high


def test_only_common_tasks_are_paired_and_all_of_them_are_used_otherwise():
    first = outcomes([[1, 1, 0]])
    second = Outcomes(
        seeds=("0",),
        tasks=("t0001", "t0002", "t0009"),
        repositories=("r1", "r2", "r9"),
        solved=np.array([[0, 0, 0]]),
        ended=np.array([[1, 1, 1]]),
        lost=np.array([[0, 0, 0]]),
    )
    paired = contrast([(1, first), (-1, second)])
    assert (paired.tasks, paired.value) == (2, 0.5)
    unpaired = contrast([(1, first), (-1, second)], paired=False)
    assert (unpaired.tasks, unpaired.value) == (4, pytest.approx(2 / 3))


def test_a_task_without_a_run_that_ended_is_in_no_pair():
    first, second = outcomes([[1, 0, 0]]), outcomes([[1, 1, 0]], lost=[[0, 0, 1]])
    found = contrast([(1, second), (-1, first)])
    assert (found.tasks, found.value) == (2, 0.5)


def test_with_one_repository_tasks_are_drawn_and_the_estimate_says_so():
    found = contrast([(1, outcomes([[0, 1, 1, 0, 1]], repositories=["only"] * 5))])
    assert (found.unit, found.repositories, found.df) == ("task", 1, 4)
    assert found.error > 0


def test_one_task_says_nothing():
    found = rate(outcomes([[3]], runs=4))
    assert (found.value, found.low, found.high, found.df, found.p) == (0.75, 0, 1, 0, 1)
    none = rate(outcomes([[0, 0]], lost=[[1, 1]]))
    assert math.isnan(none.value)
    assert (none.low, none.high) == (0, 1)


def test_a_rate_of_nothing_has_an_upper_end():
    """The raw policy that solves nothing: a plain bootstrap would say 0 to 0."""
    found = rate(outcomes([[0] * 30], runs=4))
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(wilson(0, 30, df=29).high)
    difference = contrast([(1, outcomes([[0] * 30])), (-1, outcomes([[0] * 30]))])
    assert (difference.value, difference.p) == (0, 1)
    assert -0.25 < difference.low < -0.1
    assert 0.1 < difference.high < 0.25


def test_a_difference_that_every_task_shows_is_tested_by_its_sign():
    found = contrast([(1, outcomes([[1] * 10])), (-1, outcomes([[0] * 10]))])
    assert found.value == 1
    assert found.p == pytest.approx(2 / 2**10)
    assert 0 < found.low < 1


def test_training_seeds_widen_the_interval_and_count_its_degrees_of_freedom():
    base = np.full(60, 0.4)
    low, high = shares([base] * 3), shares([base + 0.1, base + 0.2, base + 0.3])
    found = contrast([(1, high), (-1, low)], draws=20_000)
    assert found.value == pytest.approx(0.2)
    assert found.error == pytest.approx(0.1 / math.sqrt(3), rel=0.05)
    assert found.df == pytest.approx(2, abs=0.05)
    assert found.high - found.value == pytest.approx(student.quantile(0.975, found.df) * found.error)
    one = contrast([(1, shares([base + 0.2])), (-1, shares([base]))])
    assert one.seeds == 1
    assert one.high - one.low < 0.02


def test_seeds_that_do_not_differ_cost_nothing():
    rng = np.random.default_rng(3)
    base = rng.uniform(0.2, 0.8, 60)
    once = contrast([(1, shares([base]))])
    thrice = contrast([(1, shares([base] * 3))])
    assert thrice.error == pytest.approx(once.error, rel=0.05)
    assert thrice.df == 59


def test_rows_with_other_seeds_are_drawn_apart():
    base = np.full(40, 0.4)
    trained = shares([base + 0.1, base + 0.2, base + 0.3])
    raw = shares([base], seeds=["raw"])
    found = contrast([(1, trained), (-1, raw)])
    assert found.value == pytest.approx(0.2)
    assert found.df == pytest.approx(2, abs=0.05)


def test_other_estimators_go_the_same_way():
    counts = outcomes([[0, 1, 2, 4]], runs=4)
    assert rate(counts, pass_at(4)).value == pytest.approx(3 / 4)
    assert rate(counts, pass_all(4)).value == pytest.approx(1 / 4)
    assert math.isnan(rate(counts, pass_at(5)).value)


def test_equal_data_give_equal_intervals():
    data = [(1.0, outcomes([[0, 1, 1, 0, 1, 1]]))]
    assert contrast(data) == contrast(data)


# --- how often intervals hold the truth


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"clusters": 6},
        {"clusters": 60, "size": 1, "sd_home": 0.0},
        {"seeds": 3},
        {"seeds": 3, "sd_seed": 0.1},
    ],
    ids=["clustered", "few repositories", "single tasks", "equal seeds", "seeds that differ"],
)
def test_intervals_hold_the_truth_as_often_as_they_say(setting):
    held, _ = simulated(**setting)
    assert 0.90 <= held <= 0.99  # 0.95 and three standard errors of 250 experiments, and what three seeds cost


def test_drawing_runs_inside_of_drawn_tasks_counts_them_twice():
    """Why only the outer level is drawn: the interval of the two-stage bootstrap holds too often, and is much wider."""
    setting = {"clusters": 60, "size": 1, "sd_home": 0.0, "sims": 80}
    outer, narrow = simulated(**setting)
    both, wide = simulated(**setting, inner=True)
    assert wide > 1.2 * narrow
    assert both >= outer
    assert both > 0.97


def test_a_rates_interval_holds_the_truth():
    rng = np.random.default_rng(5)
    homes = [f"r{at // 4:03}" for at in range(80)]
    for truth in (0.03, 0.3):
        held = 0
        for _ in range(200):
            p = np.repeat(rng.beta(truth * 4, (1 - truth) * 4, 20), 4)
            found = rate(drawn(rng, p[None, :], 2, homes), draws=200)
            held += found.low <= truth <= found.high
        assert held / 200 >= 0.9
