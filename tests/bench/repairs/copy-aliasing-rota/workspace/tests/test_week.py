from datetime import date

import pytest

from rota.week import Week

MONDAY = date(2024, 3, 4)


def test_not_a_monday():
    with pytest.raises(ValueError, match="2024-03-05 is not a Monday"):
        Week(date(2024, 3, 5))


def test_assign():
    week = Week(MONDAY)
    week.assign("ida", "mon", "tue")
    week.assign("ida", "tue")
    assert week.shifts["tue"] == ["ida"]
    assert week.shifts["wed"] == []


def test_swap():
    week = Week(MONDAY)
    week.assign("ida", "fri")
    week.swap("fri", "ida", "ole")
    assert week.shifts["fri"] == ["ole"]
    with pytest.raises(ValueError):
        week.swap("fri", "ida", "ole")


def test_following():
    week = Week(MONDAY)
    week.assign("ida", "sun")
    later = week.following()
    assert later.monday == date(2024, 3, 11)
    assert later.shifts["sun"] == ["ida"]


def test_date_of():
    assert Week(MONDAY).date_of("sun") == date(2024, 3, 10)
