from datetime import date

import pytest

from rota.plan import dates_of, load, repeat
from rota.week import Week


@pytest.fixture
def weeks():
    first = Week(date(2024, 3, 4))
    first.assign("ida", "mon", "wed")
    first.assign("ole", "wed")
    return repeat(first, 3)


def test_repeat(weeks):
    assert [week.monday.day for week in weeks] == [4, 11, 18]


def test_load(weeks):
    assert load(weeks) == {"ida": 6, "ole": 3}


def test_swap_in_one_week(weeks):
    weeks[1].swap("mon", "ida", "ole")
    assert load(weeks) == {"ida": 5, "ole": 4}


def test_an_extra_shift(weeks):
    weeks[2].assign("pia", "sat")
    assert dates_of(weeks, "pia") == [date(2024, 3, 23)]
