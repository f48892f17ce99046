"""The curriculum: tasks that are solved sometimes come more often, and the same history draws the same tasks."""

from __future__ import annotations

from collections import Counter

from suture_training.curriculum import Curriculum

TASKS = tuple("abcdef")


def drawn(curriculum: Curriculum, steps: int = 400) -> Counter[str]:
    return Counter(task for step in range(steps) for task in curriculum.draw(step, 2))


def test_tasks_that_are_solved_sometimes_come_most():
    curriculum = Curriculum(TASKS)
    for _ in range(10):
        curriculum.told("a", 8, 8)
        curriculum.told("b", 0, 8)
        curriculum.told("c", 4, 8)
    counts = drawn(curriculum)
    assert counts["c"] > 3 * counts["a"] > 0
    assert counts["c"] > 3 * counts["b"] > 0
    assert curriculum.rate("a") > 0.9 > curriculum.rate("c") > 0.4 > curriculum.rate("b")


def test_old_results_fade():
    curriculum = Curriculum(TASKS)
    for _ in range(10):
        curriculum.told("a", 0, 8)
    curriculum.told("a", 8, 8)
    curriculum.told("a", 8, 8)
    assert curriculum.rate("a") > 0.5


def test_a_step_has_each_task_once_and_replacements_are_others():
    curriculum = Curriculum(TASKS, seed=3)
    first = curriculum.draw(7, 3)
    second = curriculum.draw(7, 3, without=first, salt=1)
    assert sorted(first + second) == sorted(TASKS)
    assert curriculum.draw(7, 9) != []
    assert len(curriculum.draw(7, 9)) == len(TASKS)


def test_the_same_history_draws_the_same():
    one, other = Curriculum(TASKS, seed=1), Curriculum(TASKS, seed=1)
    assert [one.draw(step, 3) for step in range(20)] == [other.draw(step, 3) for step in range(20)]
    assert [one.draw(step, 3) for step in range(20)] != [Curriculum(TASKS, seed=2).draw(step, 3) for step in range(20)]


def test_flat_draws_all_alike():
    curriculum = Curriculum(TASKS, flat=True)
    curriculum.told("a", 8, 8)
    assert {curriculum.weight(task) for task in TASKS} == {1.0}
