from datetime import date

import pytest
from raingauge import Reading, daily_rainfall, monthly_totals, parse_log, wettest_day

SPRING = """
2023-03-29 18.0  # taken over from the old log
2023-03-30 18.0
2023-03-31 21.5
2023-04-01 30.0
2023-04-02 4.0   # emptied
2023-04-03 4.2
"""


def march(*levels):
    return [Reading(date(2023, 3, day), level) for day, level in enumerate(levels, start=1)]


def test_the_log_is_put_in_order():
    assert parse_log("2023-03-02 5\n# new gauge\n\n2023-03-01 0.5") == march(0.5, 5.0)


def test_rain_in_a_gauge_that_was_empty():
    assert list(daily_rainfall(march(0.0, 2.5, 2.5, 7.0)).values()) == [2.5, 0.0, 4.5]


def test_rain_in_a_gauge_that_held_water():
    assert daily_rainfall(march(12.0, 13.5, 16.0)) == {date(2023, 3, 2): 1.5, date(2023, 3, 3): 2.5}


def test_rain_after_the_gauge_was_emptied():
    assert list(daily_rainfall(march(0.0, 9.0, 3.0, 3.5)).values()) == [9.0, 3.0, 0.5]


def test_emptied_before_the_second_reading():
    assert list(daily_rainfall(march(14.0, 1.0, 6.0)).values()) == [1.0, 5.0]


@pytest.mark.parametrize("levels", [[], [3.0]])
def test_two_readings_are_needed(levels):
    with pytest.raises(ValueError, match="at least two"):
        daily_rainfall(march(*levels))


def test_monthly_totals():
    assert monthly_totals(parse_log(SPRING)) == {"2023-03": 3.5, "2023-04": 12.7}


def test_wettest_day():
    assert wettest_day(parse_log(SPRING)) == date(2023, 4, 1)


def test_wettest_day_of_a_tie_is_the_earliest():
    assert wettest_day(march(0.0, 4.0, 4.0, 8.0)) == date(2023, 3, 2)


def test_no_wettest_day_when_it_is_dry():
    assert wettest_day(march(6.0, 6.0, 6.0)) is None
