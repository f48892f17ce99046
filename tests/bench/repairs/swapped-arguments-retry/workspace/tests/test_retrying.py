import pytest

from retrying import Backoff, GaveUp, call
from retrying.policy import clamp


class Flaky:
    def __init__(self, failures):
        self.failures = failures
        self.calls = 0

    def __call__(self):
        self.calls += 1
        if self.calls <= self.failures:
            raise ConnectionError("reset")
        return "done"


def test_clamp():
    assert clamp(5, 0, 3) == 3
    assert clamp(-1, 0, 3) == 0
    assert clamp(2, 0, 3) == 2


def test_delays_grow():
    assert list(Backoff(first=1, factor=3, longest=100, attempts=4).delays()) == [1, 3, 9]


def test_delays_are_capped():
    assert list(Backoff(first=1, factor=10, longest=20, attempts=5).delays()) == [1, 10, 20, 20]


def test_succeeds_at_once():
    slept = []
    assert call(Flaky(0), Backoff(), sleep=slept.append) == "done"
    assert slept == []


def test_sleeps_once_after_one_failure():
    slept = []
    assert call(Flaky(1), Backoff(first=2), sleep=slept.append) == "done"
    assert slept == [2]


def test_gives_up():
    action = Flaky(10)
    with pytest.raises(GaveUp, match="reset"):
        call(action, Backoff(attempts=3), sleep=lambda _: None)
    assert action.calls == 3
