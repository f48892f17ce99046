import pytest

from coins import count_ways, greedy


def test_greedy():
    assert greedy(288) == [200, 50, 20, 10, 5, 2, 1]


def test_greedy_without_ones():
    with pytest.raises(ValueError):
        greedy(3, (2,))


def test_greedy_nothing():
    assert greedy(0) == []


def test_ways_to_pay_five():
    assert count_ways(5, (5, 2, 1)) == 4


def test_ways_euro():
    assert count_ways(10) == 11


def test_impossible():
    assert count_ways(3, (2,)) == 0


def test_negative():
    with pytest.raises(ValueError):
        count_ways(-1)
