import pytest

from warehouse.errors import NotEnough, StockError
from warehouse.stock import Stock


@pytest.fixture
def stock():
    stock = Stock()
    stock.receive("north", "bolt", 40)
    stock.receive("south", "bolt", 25)
    stock.receive("north", "nut", 5)
    return stock


def test_receive_adds(stock):
    stock.receive("north", "bolt", 2)
    assert stock.level("north", "bolt") == 42
    assert stock.total("bolt") == 67


def test_ship(stock):
    stock.ship("south", "bolt", 25)
    assert stock.level("south", "bolt") == 0


def test_ship_too_many(stock):
    with pytest.raises(NotEnough, match="south has 25 of bolt, not 26"):
        stock.ship("south", "bolt", 26)
    assert stock.level("south", "bolt") == 25


def test_transfer(stock):
    stock.transfer("north", "south", "bolt", 10)
    assert (stock.level("north", "bolt"), stock.level("south", "bolt")) == (30, 35)
    assert stock.moves == [("north", "south", "bolt", 10)]


def test_transfer_to_a_site_that_has_none(stock):
    stock.transfer("north", "east", "nut", 5)
    assert (stock.level("north", "nut"), stock.level("east", "nut")) == (0, 5)


def test_transfer_of_too_many(stock):
    with pytest.raises(NotEnough) as caught:
        stock.transfer("south", "north", "bolt", 30)
    assert caught.value.available == 25
    assert (stock.level("north", "bolt"), stock.level("south", "bolt")) == (40, 25)
    assert stock.moves == []


def test_transfer_to_itself(stock):
    with pytest.raises(StockError, match="itself"):
        stock.transfer("north", "north", "bolt", 1)


def test_pieces_must_be_positive(stock):
    with pytest.raises(StockError):
        stock.transfer("north", "south", "bolt", 0)
