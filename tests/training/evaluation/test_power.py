"""The power calculator: the protocol's published table, the normal approximation beside the simulation, and what it says is needed."""

from __future__ import annotations

import math

import numpy as np
import pytest
from evaluations import outcomes

from suture_training.evaluation.power import USUAL, fitted, power, runs_needed, sizing, smallest_difference, tasks_needed


@pytest.mark.parametrize(
    ("tasks", "runs", "published"),  # the protocol's section 6.7: paired, Beta(0.4, 0.93), 5 points, level 0.05
    [(200, 1, 0.27), (100, 4, 0.49), (200, 4, 0.77), (300, 4, 0.90), (500, 1, 0.56)],
)
def test_the_protocols_table_comes_out(tasks, runs, published):
    assert power(tasks, runs, 0.05, sims=1500) == pytest.approx(published, abs=0.04)  # three standard errors of 1500 experiments


def test_without_a_difference_it_finds_one_as_often_as_the_level_says():
    assert power(150, 2, 0.0, sims=2000) == pytest.approx(0.05, abs=0.015)


def test_more_of_everything_sees_more():
    assert power(100, 1, 0.05, sims=800) < power(100, 4, 0.05, sims=800) < power(400, 4, 0.05, sims=800)
    assert power(200, 4, 0.05, sims=800) < power(200, 4, 0.1, sims=800)


def test_the_interaction_needs_more():
    assert power(200, 4, 0.05, sims=800, interaction=True) < power(200, 4, 0.05, sims=800) - 0.15
    assert tasks_needed(4, 0.05, interaction=True) > 1.7 * tasks_needed(4, 0.05)


@pytest.mark.parametrize("interaction", [False, True])
def test_what_is_said_to_be_needed_is_what_the_simulation_needs(interaction):
    tasks = tasks_needed(4, 0.06, interaction=interaction)
    assert power(tasks, 4, 0.06, sims=1500, interaction=interaction) == pytest.approx(0.8, abs=0.04)


def test_needs_agree_with_each_other():
    tasks = tasks_needed(4, 0.05)
    assert runs_needed(tasks, 0.05) == 4
    assert runs_needed(tasks - 1, 0.05) == 5
    assert smallest_difference(tasks, 4) == pytest.approx(0.05, abs=0.001)


def test_what_cannot_be_had_is_said():
    assert runs_needed(3, 0.05) is None
    assert tasks_needed(1, 0.0001) is None
    assert tasks_needed(1, 0.0) is None
    assert power(1, 4, 0.5) == 0.0
    assert math.isnan(smallest_difference(2, 1))


def test_the_beta_distribution_is_found_again_from_its_runs():
    rng = np.random.default_rng(0)
    p = rng.beta(*USUAL, 4000)
    alpha, beta = fitted(outcomes([rng.binomial(4, p)], runs=4))
    assert alpha == pytest.approx(USUAL[0], rel=0.1)
    assert beta == pytest.approx(USUAL[1], rel=0.1)


def test_single_runs_say_the_mean_only():
    alpha, beta = fitted(outcomes([[1, 0, 0, 0]]))
    assert alpha / (alpha + beta) == pytest.approx(0.25, abs=1e-3)
    assert alpha + beta == pytest.approx(sum(USUAL), abs=1e-2)


def test_tasks_without_a_run_and_tasks_that_are_all_alike_do_not_break_it():
    assert all(math.isfinite(each) and each > 0 for each in fitted(outcomes([[0, 0]], lost=[[1, 1]])))
    assert all(math.isfinite(each) and each > 0 for each in fitted(outcomes([[4, 4, 4]], runs=4)))
    assert all(math.isfinite(each) and each > 0 for each in fitted(outcomes([[2, 2, 2]], runs=4)))


def test_a_sizing_holds_all_of_it():
    found = sizing(100, 4, -0.05, sims=400)
    assert found.difference == 0.05
    assert found.power == power(100, 4, 0.05, sims=400)
    assert found.tasks_needed > 100
    assert found.smallest > 0.05
    assert found.runs_needed > 4
