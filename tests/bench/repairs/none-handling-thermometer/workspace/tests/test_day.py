from weather.day import coldest, failures, frost, mean
from weather.reading import Reading

SPRING = [Reading(6, 4.0, 2.0), Reading(7, None, 3.0), Reading(8, 8.0)]
WINTER = [Reading(1, 0.0, 0.0), Reading(2, 3.0, 1.0), Reading(3, None), Reading(4, 6.0, 0.0)]
BROKEN = [Reading(1), Reading(2)]


def test_mean():
    assert mean(SPRING) == 6.0


def test_mean_around_zero():
    assert mean(WINTER) == 3.0
    assert mean([Reading(1, -2.0), Reading(2, 0.0)]) == -1.0


def test_mean_of_nothing():
    assert mean([]) is None
    assert mean(BROKEN) is None


def test_mean_of_zero():
    assert mean([Reading(1, 0.0)]) == 0.0


def test_coldest():
    assert coldest(SPRING) == SPRING[0]
    assert coldest(WINTER) == WINTER[0]


def test_coldest_of_nothing():
    assert coldest(BROKEN) is None


def test_frost():
    assert frost(SPRING) == []
    assert frost(SPRING, below=5) == [6]


def test_frost_in_winter():
    assert frost(WINTER) == [1]
    assert frost([Reading(5, -0.1), Reading(6, 0.0), Reading(7)], below=0) == [5]


def test_failures():
    assert failures(SPRING) == 2
    assert failures(BROKEN) == 4


def test_failures_in_winter():
    assert failures(WINTER) == 2
