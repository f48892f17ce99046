import pytest

from timing import Stopwatch, summary


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def watch(clock):
    return Stopwatch("load", clock)


def test_unused(watch):
    assert watch.seconds == 0
    assert watch.calls == 0
    assert not watch.running


def test_blocks_add_up(watch, clock):
    with watch:
        clock.sleep(2)
    clock.sleep(10)
    with watch:
        clock.sleep(3)
    assert watch.seconds == 5
    assert watch.calls == 2


def test_seconds_of_an_open_block(watch, clock):
    with watch as same:
        clock.sleep(4)
        assert same.running
        assert same.seconds == 4
    assert not watch.running


def test_nested_blocks(watch, clock):
    with watch:
        clock.sleep(1)
        with watch:
            clock.sleep(2)
            assert watch.seconds == 3
        assert watch.running
        clock.sleep(4)
    assert watch.seconds == 7
    assert watch.calls == 2


def test_an_error_is_raised_and_timed(watch, clock):
    with pytest.raises(KeyError):
        with watch:
            clock.sleep(6)
            raise KeyError("name")
    assert watch.seconds == 6
    assert not watch.running


def test_decorated_function(watch, clock):
    @watch
    def double(number):
        clock.sleep(0.5)
        return number * 2

    assert [double(1), double(4)] == [2, 8]
    assert watch.seconds == 1
    assert watch.calls == 2


def test_recursive_function(watch, clock):
    @watch
    def countdown(number):
        clock.sleep(number)
        return countdown(number - 1) if number else "done"

    assert countdown(3) == "done"
    assert watch.seconds == 6
    assert watch.calls == 4


def test_reset(watch, clock):
    with watch:
        clock.sleep(1)
        with pytest.raises(RuntimeError, match="load is running"):
            watch.reset()
    watch.reset()
    assert watch.seconds == 0
    assert watch.calls == 0


def test_summary(watch, clock):
    parse = Stopwatch("parsing", clock)
    with watch:
        clock.sleep(1.25)
        with parse:
            clock.sleep(2)
    with parse:
        clock.sleep(3)
    assert summary([watch, parse, Stopwatch("store", clock)]) == [
        "parsing     5.00 s    2 calls",
        "load        3.25 s    1 calls",
    ]


def test_empty_summary(watch):
    assert summary([watch]) == []
