import pytest

from kiln.units import celsius, clock


def test_celsius():
    assert celsius(212) == pytest.approx(100)
    assert celsius(-40) == pytest.approx(-40)


@pytest.mark.parametrize(("minutes", "expected"), [(0, "0:00"), (59.6, "1:00"), (125, "2:05")])
def test_clock(minutes, expected):
    assert clock(minutes) == expected
