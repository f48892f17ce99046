import asyncio
import itertools

import pytest

from ticker import Ticker, averaged, moving_average


def test_moving_average():
    assert moving_average([1, 2, 3, 4], 2) == [1.5, 2.5, 3.5]
    assert moving_average([1], 2) == []


def test_width():
    with pytest.raises(ValueError):
        moving_average([1], 0)


def test_collect():
    numbers = itertools.count(1)
    assert asyncio.run(Ticker(lambda: next(numbers)).collect(3)) == [1, 2, 3]


def test_averaged():
    numbers = itertools.count(0, 2)
    assert asyncio.run(averaged(lambda: next(numbers), 4, 2)) == [1.0, 3.0, 5.0]
