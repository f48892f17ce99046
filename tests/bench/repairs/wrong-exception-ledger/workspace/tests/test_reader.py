from datetime import date
from decimal import Decimal

import pytest

from ledger.errors import ImportProblem
from ledger.reader import Booking, balance, parse_amount, read


@pytest.mark.parametrize(("text", "amount"), [("12.50", "12.50"), ("-3,20", "-3.20"), (" 7 ", "7")])
def test_amount(text, amount):
    assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "free", "1.000,00", "12.5 EUR"])
def test_not_an_amount(text):
    with pytest.raises(ValueError, match="not an amount"):
        parse_amount(text)


@pytest.mark.parametrize("text", ["NaN", "Infinity"])
def test_not_a_finite_amount(text):
    with pytest.raises(ValueError, match="not an amount"):
        parse_amount(text)


def test_read():
    assert read(["2024-02-01;rent; -800,00\n", "\n", "2024-02-03;pay;1900.00\n"]) == [
        Booking(date(2024, 2, 1), "rent", Decimal("-800.00")),
        Booking(date(2024, 2, 3), "pay", Decimal("1900.00")),
    ]


def test_bad_amount_names_the_line():
    with pytest.raises(ImportProblem, match="line 2: not an amount: 'abc'") as caught:
        read(["2024-02-01;rent;-800", "2024-02-03;pay;abc"])
    assert caught.value.line == 2


def test_bad_date_names_the_line():
    with pytest.raises(ImportProblem, match="line 1"):
        read(["1.2.2024;rent;-800"])


def test_number_of_fields():
    with pytest.raises(ImportProblem, match="line 1: 2 fields"):
        read(["2024-02-01;rent"])


def test_balance():
    assert balance(read(["2024-02-01;rent;-800", "2024-02-03;pay;1900,50"])) == Decimal("1100.50")
    assert balance([]) == 0
