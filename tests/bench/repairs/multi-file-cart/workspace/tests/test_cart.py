import pytest

from cartlib import Cart
from cartlib.catalogue import Article, Catalogue


@pytest.fixture
def cart():
    return Cart(Catalogue([Article("pen", 100), Article("book", 1000, tax_percent=7)]))


def test_empty(cart):
    assert cart.total() == 0
    assert cart.pieces() == 0


def test_pieces(cart):
    cart.put("pen")
    cart.put("pen", 3)
    assert cart.pieces() == 4


def test_total(cart):
    cart.put("pen", 2)
    cart.put("book")
    assert cart.total() == 2 * 119 + 1070


def test_tax(cart):
    cart.put("book", 2)
    assert cart.tax_total() == 140


def test_unknown(cart):
    with pytest.raises(LookupError, match="no article"):
        cart.put("car")
