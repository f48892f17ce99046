import pytest

from watering.garden import Watering, water
from watering.valve import Valve, ValveError


@pytest.fixture
def valves():
    return [Valve("roses"), Valve("beans"), Valve("lawn")]


def opened(valves):
    return [valve.name for valve in valves if valve.is_open]


def test_open_inside_and_closed_after(valves):
    with Watering(valves) as watering:
        assert opened(valves) == ["roses", "beans", "lawn"]
        assert watering.run(3) == 90
    assert opened(valves) == []


def test_water(valves):
    assert water(valves[:2], 5) == 100
    assert [valve.litres for valve in valves] == [50, 50, 0]


def test_an_error_in_the_block_closes(valves):
    with pytest.raises(ValueError, match="negative"):
        water(valves, -1)
    assert opened(valves) == []


def test_a_valve_that_does_not_open(valves):
    valves[2].stuck = True
    with pytest.raises(ValveError, match="lawn does not open"):
        water(valves, 5)
    assert opened(valves) == []
    assert [valve.litres for valve in valves] == [0, 0, 0]


def test_the_first_valve_does_not_open(valves):
    valves[0].stuck = True
    with pytest.raises(ValveError, match="roses does not open"):
        water(valves, 5)
    assert opened(valves) == []


def test_a_valve_that_does_not_close(valves):
    with pytest.raises(ValveError, match="beans does not close"), Watering(valves):
        valves[1].stuck = True
    assert opened(valves) == ["beans"]


def test_again_after_a_failure(valves):
    valves[1].stuck = True
    watering = Watering(valves)
    with pytest.raises(ValveError):
        watering.__enter__()
    valves[1].stuck = False
    with watering:
        assert watering.run(1) == 30
    assert opened(valves) == []


def test_no_valves():
    assert water([], 10) == 0
