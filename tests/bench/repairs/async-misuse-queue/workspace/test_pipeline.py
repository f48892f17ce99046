import asyncio

import pytest

from pipeline.batches import batched, in_batches
from pipeline.workers import process


async def double(n):
    await asyncio.sleep(0)
    return n * 2


def test_nothing_to_do():
    assert asyncio.run(process([], double)) == []


def test_all_items_are_handled():
    assert sorted(asyncio.run(process(range(5), double))) == [0, 2, 4, 6, 8]


def test_one_worker_keeps_order():
    assert asyncio.run(process([3, 1, 2], double, workers=1)) == [6, 2, 4]


def test_batched():
    assert list(batched([1, 2, 3, 4, 5], 2)) == [[1, 2], [3, 4], [5]]


def test_batch_size():
    with pytest.raises(ValueError):
        list(batched([1], 0))


def test_in_batches():
    async def run(batch):
        return [sum(batch)]

    assert asyncio.run(in_batches([1, 2, 3], 2, run)) == [3, 3]
