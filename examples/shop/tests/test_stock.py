import pytest

from shop import OutOfStock, Stock


def test_reserving_the_last_pieces(stock):
    stock.reserve("pot", 2)
    assert stock.available("pot") == 0


def test_nothing_left(stock):
    stock.reserve("sack")
    with pytest.raises(OutOfStock, match="0 of sack left"):
        stock.reserve("sack")


def test_release_never_gives_more_than_was_reserved(stock):
    stock.release("tea", 5)
    assert stock.available("tea") == 20


def test_empty_delivery():
    with pytest.raises(ValueError):
        Stock().receive("tea", 0)
