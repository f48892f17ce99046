import pytest

import basket as b


def test_add_to_a_given_basket():
    mine = {"pear": 1}
    assert b.add("pear", 2, mine) is mine
    assert mine == {"pear": 3}


def test_new_basket():
    assert b.add("apple") == {"apple": 1}


def test_two_customers():
    one = b.add("plum", 4)
    two = b.add("plum")
    assert one == {"plum": 4}
    assert two == {"plum": 1}


def test_remove():
    mine = {"plum": 2}
    b.remove("plum", mine)
    assert mine == {"plum": 1}
    b.remove("plum", mine)
    assert mine == {}


def test_cost():
    assert b.cost({"apple": 2, "plum": 1}) == 72


def test_unknown():
    with pytest.raises(KeyError):
        b.add("stone", basket={})
