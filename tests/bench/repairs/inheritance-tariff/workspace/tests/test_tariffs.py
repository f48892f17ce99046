import pytest

from bikehire.ride import Ride
from bikehire.tariffs import TARIFFS, Tariff


@pytest.mark.parametrize(("hour", "night"), [(21, False), (22, True), (0, True), (5, True), (6, False)])
def test_night(hour, night):
    assert Ride(10, hour).at_night is night


def test_shortened():
    assert Ride(12, 8).shortened(10) == Ride(2, 8)
    assert Ride(5).shortened(10) == Ride(0)


def test_basic():
    assert Tariff().price(Ride(20)) == 400


def test_city_by_day():
    assert TARIFFS["city"].price(Ride(20)) == 400


def test_city_at_night():
    assert TARIFFS["city"].price(Ride(20, hour=23)) == 533


def test_city_is_capped():
    assert TARIFFS["city"].price(Ride(300)) == 1500


def test_city_is_capped_at_night_too():
    assert TARIFFS["city"].price(Ride(300, hour=2)) == 1500
    assert TARIFFS["city"].price(Ride(80, hour=23)) == 1500


def test_members_ride_the_first_minutes_for_nothing():
    assert TARIFFS["member"].price(Ride(9)) == 0
    assert TARIFFS["member"].price(Ride(30)) == 300


def test_line():
    assert TARIFFS["basic"].line(Ride(7)) == "basic: 7 min 2.05"
    assert TARIFFS["city"].line(Ride(200, hour=22)) == "city: 200 min 15.00"
