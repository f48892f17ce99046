from decimal import Decimal

import pytest

from pricing.checkout import charge
from pricing.rules import Discount, best_single

SUMMER = Discount("summer", Decimal(10))
BULK = Discount("bulk", Decimal(20), minimum=Decimal(100))


@pytest.mark.parametrize(
    ("subtotal", "expected"),
    [("50.00", "45.00"), ("100.00", "72.00"), ("19.99", "17.99")],
)
def test_charge(subtotal, expected):
    assert charge(Decimal(subtotal), [SUMMER, BULK]) == Decimal(expected)


def test_charge_full_price():
    assert charge(Decimal("12.34"), []) == Decimal("12.34")


def test_minimum():
    assert not BULK.applies_to(Decimal("99.99"))
    assert BULK.applies_to(Decimal(100))


def test_best_single():
    assert best_single([SUMMER, BULK]) is BULK
    assert best_single([]) is None
