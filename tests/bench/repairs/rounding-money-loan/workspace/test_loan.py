import pytest

from loan import euros, fee, instalments, plan


def test_even_instalments():
    assert instalments(1200, 12) == [100] * 12


def test_months():
    with pytest.raises(ValueError):
        instalments(100, 0)


def test_instalments_add_up():
    assert instalments(1000, 3) == [334, 333, 333]
    assert instalments(11, 4) == [3, 3, 3, 2]


@pytest.mark.parametrize("amount", [1, 99, 100_001])
def test_instalments_of_odd_amounts(amount):
    due = instalments(amount, 7)
    assert sum(due) == amount
    assert max(due) - min(due) <= 1


def test_fee():
    assert fee(10_000, "2") == 20


def test_fee_is_rounded():
    assert fee(250, "2") == 1
    assert fee(333, "5") == 2
    assert fee(100, "4") == 0


def test_plan_ends_at_zero():
    assert plan(1000, 3)[-1] == (3, 333, 0)


def test_plan_with_fee():
    assert plan(600, 2, "2.5") == [(1, 302, 300), (2, 300, 0)]


def test_euros():
    assert euros(1205) == "12.05 EUR"
