import pytest

from trendline import crossings, longest_rise, moving_average
from trendline.series import signal


def test_moving_average():
    assert moving_average([1, 2, 3, 4, 8], 2) == [1.5, 2.5, 3.5, 6.0]


def test_window_of_one_gives_the_values():
    assert moving_average([4, 7, 5], 1) == [4, 7, 5]


def test_window_as_long_as_the_series():
    assert moving_average([3, 6, 9], 3) == [6]


def test_too_few_values():
    assert moving_average([3, 6, 9], 4) == []
    assert moving_average([], 2) == []


def test_window_must_be_positive():
    with pytest.raises(ValueError, match="at least one"):
        moving_average([1, 2], 0)


@pytest.mark.parametrize(("values", "expected"), [([], 0), ([5], 1), ([1, 2, 3, 1, 2], 3), ([3, 2, 1], 1), ([1, 1, 2], 2)])
def test_longest_rise(values, expected):
    assert longest_rise(values) == expected


def test_crossings():
    assert crossings([1, 5, 2, 6, 7, 3, 4], 4) == [1, 3]


def test_signal_of_the_latest_values():
    assert signal([10, 10, 10, 13, 19], fast=2, slow=5) == pytest.approx(3.6)


def test_signal_needs_enough_values():
    with pytest.raises(ValueError, match="at least 5 values"):
        signal([1, 2, 3], fast=2, slow=5)
