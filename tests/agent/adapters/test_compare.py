"""What counts as better: figures of the literature, and hand-made scores."""

from __future__ import annotations

import pytest

from suture_agent.adapters.compare import against, against_base, beats, difference, sign_test, wilson


def test_intervals_are_those_of_the_literature():
    """Newcombe 1998, the paper's example (a) for a difference: 56/70 against 48/80 gives 0.0524 to 0.3339 by method 10."""
    assert difference((56, 70), (48, 80)) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)  # Newcombe 1998, proportions, method 3
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_sign_test_counts_tasks_that_differ():
    assert sign_test([(1, 0)] * 5) == (5, 0, 1 / 32)
    wins, losses, p = sign_test([(1, 0)] * 9 + [(0, 1)] + [(1, 1)] * 50)
    assert (wins, losses) == (9, 1)
    assert p == pytest.approx(11 / 1024)
    assert sign_test([(1, 1)]) == (0, 0, 1.0)


def test_pairs_show_what_independent_rates_do_not(score):
    new = {f"t{number}": (1, 1) for number in range(100)}
    old = {**new, **{f"t{number}": (0, 1) for number in range(7)}}
    assert not beats(score(100), score(97), "x").better
    assert not beats(score(60), score(53), "x").better
    paired = beats(score(100, tasks=new), score(93, tasks=old), "x")
    assert paired.better
    assert "7 tasks better, 0 worse" in paired.text
    other = {**old, "elsewhere": (1, 1)}
    assert "sign test" not in beats(score(100, tasks=new), score(93, tasks=other), "x").text


def test_losing_and_equal_scores_are_not_better(score):
    assert not beats(score(40), score(60), "x").better
    tasks = {"a": (1, 2)}
    assert not beats(score(50, tasks=tasks), score(50, tasks=tasks), "x").better


def test_only_scores_of_the_matched_place_count(add, score):
    there = {"harness": "x" * 64}
    adapter = add("one", scores=(score(90, **there), score(10, subject="base")))
    assert "no score" in against_base(adapter).text
    old = add("two", scores=(score(10, **there),))
    new = add("three", scores=(score(90),))
    assert not against(new, old).better
    assert against(new, add("four", scores=(score(10),))).better


def test_the_newest_common_held_out_set_decides(add, score):
    new = add("new", scores=(score(90, held_out="a" * 64, created=1.0), score(50, created=2.0), score(99, held_out="c" * 64, created=3.0)))
    old = add("old", scores=(score(10, held_out="a" * 64), score(50)))
    found = against(new, old)
    assert not found.better
    assert "50 of 100" in found.text
