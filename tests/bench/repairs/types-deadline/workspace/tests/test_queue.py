import pytest

from jobs.job import Job
from jobs.queue import Queue


@pytest.fixture
def queue() -> Queue:
    queue = Queue(default_limit=30.0)
    queue.add(Job("index", limit=5.0, tags=frozenset({"night"})))
    queue.add(Job("mail"))
    return queue


def test_take(queue: Queue) -> None:
    first, second, third = queue.take(), queue.take(), queue.take()
    assert first == Job("index", 5.0, frozenset({"night"}))
    assert second == Job("mail")
    assert third is None


def test_length(queue: Queue) -> None:
    assert len(queue) == 2


def test_limit(queue: Queue) -> None:
    assert queue.limit_of(Job("a", limit=2.5)) == 2.5
    assert queue.limit_of(Job("a", limit=0.0)) == 0.0
    assert queue.limit_of(Job("a")) == 30.0


def test_deadline(queue: Queue) -> None:
    assert queue.deadline(Job("a", limit=2.5), started=100.0) == 102.5


def test_tagged(queue: Queue) -> None:
    assert queue.tagged("night") == ["index"]
    assert queue.tagged("day") == []
