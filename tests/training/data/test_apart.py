"""Preferences in a random order in which rows of one prompt are strangers to their neighbours."""

from __future__ import annotations

from collections import Counter

import pytest

from suture_agent.policies import Message
from suture_training.data.apart import apart
from suture_training.data.rows import Preference


@pytest.fixture
def rows(make_row):
    def make(*groups: int):
        origin = make_row().origin
        return [
            Preference(
                origin=origin,
                prompt=(Message(role="user", content=f"problem {group}"),),
                completion=Message(role="assistant", content=f"{group} {number}"),
                label=True,
                weight=1.0,
            )
            for group, count in enumerate(groups)
            for number in range(count)
        ]

    return make


def named(found):
    return [row.prompt[0].content for row in found]


@pytest.mark.parametrize("seed", range(5))
def test_all_rows_come_once_and_neighbours_are_strangers(tmp_path, rows, seed):
    given = rows(*[5] * 20)
    found = list(apart(iter(given), tmp_path, seed=seed, distance=8))
    assert Counter(row.completion.content for row in found) == Counter(row.completion.content for row in given)
    names = named(found)
    close = [at for at, name in enumerate(names[:-8]) if name in names[at + 1 : at + 9]]
    assert len(close) <= 8  # the last rows may have no others left between them
    assert found != given
    assert list(tmp_path.iterdir()) == []


def test_the_seed_decides(tmp_path, rows):
    given = rows(*[2] * 30)
    orders = [[row.completion.content for row in apart(iter(given), tmp_path, seed=seed)] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_rows_of_one_prompt_alone_still_come(tmp_path, rows):
    assert len(list(apart(iter(rows(7)), tmp_path))) == 7
    assert list(apart(iter([]), tmp_path)) == []


def test_a_group_that_is_too_large_comes_at_the_end(tmp_path, rows):
    names = named(apart(iter(rows(10, 1, 1, 1, 1)), tmp_path, distance=2))
    assert Counter(names) == Counter({"problem 0": 10, **{f"problem {number}": 1 for number in range(1, 5)}})
    assert len(set(names[:5])) >= 3
