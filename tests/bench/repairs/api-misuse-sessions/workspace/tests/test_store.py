from datetime import datetime, timedelta, timezone

import pytest

from sessions import SessionStore


class Clock:
    def __init__(self):
        self.time = datetime(2024, 3, 1, 12, 0, tzinfo=timezone.utc)

    def __call__(self):
        return self.time

    def advance(self, **duration):
        self.time += timedelta(**duration)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store(clock):
    return SessionStore(idle_seconds=600, now=clock)


def test_open_session(store, clock):
    token = store.open("ann")
    clock.advance(minutes=10)
    assert store.user_of(token) == "ann"


def test_unknown_token(store):
    assert store.user_of("nothing") is None


def test_idle_session_is_forgotten(store, clock):
    token = store.open("ann")
    clock.advance(minutes=10, seconds=1)
    assert store.user_of(token) is None
    assert len(store) == 0


def test_idle_over_night(store, clock):
    token = store.open("ann")
    clock.advance(days=1, minutes=2)
    assert store.user_of(token) is None


def test_use_keeps_alive(store, clock):
    token = store.open("ann")
    for _ in range(5):
        clock.advance(minutes=6)
        assert store.user_of(token) == "ann"


def test_sweep(store, clock):
    store.open("ann")
    clock.advance(days=3)
    token = store.open("bob")
    assert store.sweep() == 1
    assert store.user_of(token) == "bob"


def test_sweep_finds_nothing(store):
    store.open("ann")
    assert store.sweep() == 0


def test_tokens_differ(store):
    assert store.open("ann") != store.open("ann")
