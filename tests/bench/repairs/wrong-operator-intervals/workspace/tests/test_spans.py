import pytest

from spans.interval import Interval, overlaps
from spans.merge import gaps, merge


def test_contains_both_ends():
    assert 3 in Interval(3, 5)
    assert 5 in Interval(3, 5)
    assert 6 not in Interval(3, 5)


def test_end_before_start():
    with pytest.raises(ValueError):
        Interval(4, 2)


def test_overlaps_when_touching():
    assert overlaps(Interval(1, 2), Interval(2, 4))
    assert not overlaps(Interval(1, 2), Interval(3, 4))


def test_merge_overlapping():
    assert merge([Interval(5, 9), Interval(1, 6)]) == [Interval(1, 9)]


def test_merge_nested():
    assert merge([Interval(1, 10), Interval(2, 3)]) == [Interval(1, 10)]


def test_merge_touching():
    assert merge([Interval(1, 2), Interval(2, 4), Interval(6, 7)]) == [Interval(1, 4), Interval(6, 7)]


def test_merge_keeps_apart():
    assert merge([Interval(8, 9), Interval(1, 2)]) == [Interval(1, 2), Interval(8, 9)]


def test_gaps():
    assert gaps([Interval(0, 2), Interval(5, 6), Interval(9, 9)]) == [Interval(2, 5), Interval(6, 9)]
