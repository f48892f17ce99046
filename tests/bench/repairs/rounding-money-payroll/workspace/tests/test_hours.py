from decimal import Decimal

import pytest

from payroll.hours import parse, split


def test_parse():
    assert parse("7:45") == parse("7.75") == Decimal("7.75")


def test_not_a_time():
    with pytest.raises(ValueError, match="not a time: 7:60"):
        parse("7:60")


def test_split():
    assert split([Decimal(9)] * 5) == (40, 5)
    assert split([Decimal(6)] * 5) == (30, 0)
    assert split([]) == (0, 0)
