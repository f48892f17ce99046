from decimal import Decimal

from payroll.money import cents
from payroll.slip import lines, make


def test_cents():
    assert cents(Decimal("2.345")) == Decimal("2.35")
    assert cents(Decimal("2.344")) == Decimal("2.34")


def test_a_week_without_overtime():
    slip = make(Decimal("18.50"), ["8:00"] * 4)
    assert slip.regular == slip.gross == Decimal("592.00")
    assert slip.overtime == 0


def test_overtime():
    slip = make(Decimal("20.00"), ["9:00"] * 5)
    assert slip.overtime == Decimal("125.00")
    assert slip.gross == Decimal("925.00")


def test_overtime_at_an_odd_rate():
    slip = make(Decimal("17.37"), ["9:30"] * 5)
    assert slip.regular == Decimal("694.80")
    assert slip.overtime == Decimal("162.84")


def test_pension_and_net():
    slip = make(Decimal("18.50"), ["8:00"] * 4)
    assert slip.pension == Decimal("55.06")
    assert slip.net == Decimal("536.94")


def test_net_with_overtime():
    slip = make(Decimal("21.13"), ["10:00"] * 6)
    assert slip.gross == Decimal("1373.45")
    assert slip.net == Decimal("1245.72")


def test_lines():
    assert lines(make(Decimal("40.00"), ["8:00"] * 5)) == [
        "Regular       1,600.00",
        "Pension        -148.80",
        "Net           1,451.20",
    ]
