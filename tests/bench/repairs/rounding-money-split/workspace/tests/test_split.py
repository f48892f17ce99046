import pytest

from sharing.split import format_cents, split_by_weight, split_evenly


def test_even():
    assert split_evenly(900, 3) == [300, 300, 300]


def test_one_person():
    assert split_evenly(999, 1) == [999]


def test_left_over_cents():
    assert split_evenly(1000, 3) == [334, 333, 333]
    assert split_evenly(5, 4) == [2, 1, 1, 1]


def test_nothing_is_lost():
    for people in range(1, 12):
        assert sum(split_evenly(12345, people)) == 12345


def test_nobody():
    with pytest.raises(ValueError):
        split_evenly(100, 0)


def test_by_weight():
    assert split_by_weight(100, [1, 1, 1]) == [33, 33, 34]
    assert split_by_weight(100, [3, 1]) == [75, 25]


def test_format():
    assert format_cents(1205) == "12.05"
    assert format_cents(-7) == "-0.07"
