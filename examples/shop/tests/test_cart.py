import pytest

from shop import OutOfStock


def test_a_new_cart_is_empty(cart):
    assert cart.subtotal() == 0
    assert cart.total() == 0


def test_adding_reserves_in_the_stock(cart, stock):
    cart.add("tea", 5)
    assert stock.available("tea") == 15


def test_adding_twice_adds_up(cart):
    cart.add("tea", 2)
    cart.add("tea")
    assert cart.quantities == {"tea": 3}


def test_subtotal_counts_every_piece(cart):
    cart.add("tea", 3)
    cart.add("pot")
    assert cart.subtotal() == 3 * 450 + 2900


def test_total_includes_shipping(cart):
    cart.add("pot")
    assert cart.total() == 2900 + 490


def test_heavy_cart(cart):
    cart.add("sack")
    assert cart.total() == 3100 + 990


def test_removing_gives_the_pieces_back(cart, stock):
    cart.add("pot", 2)
    cart.remove("pot")
    assert stock.available("pot") == 2
    assert cart.quantities == {}


def test_more_than_there_is(cart):
    with pytest.raises(OutOfStock):
        cart.add("pot", 3)
    assert cart.quantities == {}


def test_unknown_article(cart):
    with pytest.raises(KeyError):
        cart.add("car")
