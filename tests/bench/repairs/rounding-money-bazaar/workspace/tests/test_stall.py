import pytest

from bazaar.stall import Stall


@pytest.fixture
def stall():
    stall = Stall("jams", "20.00")
    stall.sell("quince", "2.50", 3)
    stall.sell("plum", "1.75")
    return stall


def test_sell(stall):
    assert stall.sell("fig", "3.25", 2) == 650


def test_takings(stall):
    assert stall.takings() == 925
    assert Stall("books").takings() == 0


def test_difference(stall):
    assert stall.difference("29.25") == 0
    assert stall.difference("29.00") == -25


def test_closing(stall):
    assert stall.closing("30.25") == "jams: 9.25, off by 1.00"


def test_closing_of_the_cake_stall():
    stall = Stall("cakes")
    stall.sell("scone", "1.15", 20)
    stall.sell("tart", "4.35", 2)
    assert stall.closing("31.70") == "cakes: 31.70, exact"
