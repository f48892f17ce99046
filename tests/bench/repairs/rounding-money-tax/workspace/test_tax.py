from decimal import Decimal

import pytest

from tax import gross, receipt, to_decimal


def test_text_is_exact():
    assert to_decimal("0.10") == Decimal("0.10")


def test_float_is_exact():
    assert to_decimal(0.1) == Decimal("0.1")


@pytest.mark.parametrize(
    "net, kind, expected",
    [("100", "tool", "119.00"), ("9.99", "food", "10.69"), ("1.50", "food", "1.61"), ("0.50", "tool", "0.60")],
)
def test_gross(net, kind, expected):
    assert gross(net, kind) == Decimal(expected)


def test_receipt():
    total, tax = receipt([("10", "book"), ("20", "tool")])
    assert total == Decimal("34.50")
    assert tax == Decimal("4.50")


def test_receipt_of_floats():
    total, tax = receipt([(0.1, "food"), (0.2, "tool")])
    assert (total, tax) == (Decimal("0.35"), Decimal("0.05"))


def test_unknown_kind():
    with pytest.raises(KeyError):
        gross("1", "car")
