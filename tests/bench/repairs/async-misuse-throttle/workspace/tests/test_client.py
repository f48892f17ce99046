import asyncio

import pytest

from throttle import ThrottledClient


class Service:
    def __init__(self, failures=0):
        self.running = 0
        self.peak = 0
        self.failures = failures

    async def send(self, path):
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if self.failures:
                self.failures -= 1
                raise ConnectionError(path)
            return path.upper()
        finally:
            self.running -= 1


def run_all(service, number, **settings):
    async def scenario():
        client = ThrottledClient(service.send, **settings)
        return await client.request_all(f"p{place}" for place in range(number)), client.sent

    return asyncio.run(scenario())


def test_answers_keep_the_order():
    answers, sent = run_all(Service(), 6)
    assert answers == ["P0", "P1", "P2", "P3", "P4", "P5"]
    assert sent == 6


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_limit(limit):
    service = Service()
    run_all(service, 10, limit=limit)
    assert service.peak == limit


def test_limit_over_several_tasks():
    async def scenario():
        service = Service()
        client = ThrottledClient(service.send, limit=3)
        await asyncio.gather(*(client.request_all(["a", "b"]) for _ in range(4)))
        return service.peak

    assert asyncio.run(scenario()) == 3


def test_fewer_requests_than_slots():
    service = Service()
    run_all(service, 2, limit=5)
    assert service.peak == 2


def test_second_attempt():
    answers, sent = run_all(Service(failures=1), 1, attempts=2)
    assert answers == ["P0"]
    assert sent == 2


def test_no_attempt_left():
    with pytest.raises(ConnectionError):
        run_all(Service(failures=2), 1, attempts=2)


def test_slot_is_free_after_a_failure():
    answers, _ = run_all(Service(failures=1), 3, limit=1, attempts=2)
    assert answers == ["P0", "P1", "P2"]


def test_limit_must_be_positive():
    with pytest.raises(ValueError, match="limit"):
        ThrottledClient(Service().send, limit=0)
