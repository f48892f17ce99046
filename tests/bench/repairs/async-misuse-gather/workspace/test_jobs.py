import asyncio

import pytest

from jobs import JobFailed, first_ok, run_all


def ok(value):
    async def job():
        await asyncio.sleep(0)
        return value

    return job


async def broken():
    raise JobFailed("disk")


def test_results_in_order():
    assert asyncio.run(run_all([ok(1), ok(2), ok(3)])) == [1, 2, 3]


def test_failures_are_results():
    results = asyncio.run(run_all([ok(1), broken, ok(3)]))
    assert results[0] == 1
    assert isinstance(results[1], JobFailed)
    assert results[2] == 3


def test_limit():
    running = peak = 0

    async def job():
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        await asyncio.sleep(0)
        running -= 1

    asyncio.run(run_all([job] * 6, limit=2))
    assert peak == 2


def test_first_ok():
    assert asyncio.run(first_ok([broken, ok("x"), ok("y")])) == "x"


def test_first_ok_without_luck():
    with pytest.raises(JobFailed, match="all jobs"):
        asyncio.run(first_ok([broken]))
