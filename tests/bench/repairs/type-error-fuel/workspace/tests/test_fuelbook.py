from decimal import Decimal

import pytest

from fuelbook.fill import Fill
from fuelbook.report import british, burnt, distance, own_share, per_hundred
from fuelbook.units import gallons, miles_per_gallon


@pytest.fixture
def fills():
    return [Fill.parse(line) for line in ("12000;40,00;1,799", "12640;35,20;1,759", "13200;30.80;1.819")]


def test_parse():
    assert Fill.parse("500;10,5;1.80") == Fill(500, Decimal("10.5"), Decimal("1.80"))


def test_cost(fills):
    assert fills[1].cost == Decimal("61.92")


def test_distance(fills):
    assert distance(fills) == 1200
    assert distance([]) == 0


def test_burnt(fills):
    assert burnt(fills) == 66
    assert burnt([]) == 0


def test_per_hundred(fills):
    assert per_hundred(fills) == Decimal("5.5")


def test_own_share(fills):
    assert own_share(fills) == Decimal("63.95")


def test_gallons():
    assert gallons(Decimal("9.09218")) == 2


def test_miles_per_gallon():
    assert miles_per_gallon(100, Decimal("5.5")) == Decimal("51.4")


def test_british(fills):
    assert british(fills) == "51.4 mpg"
