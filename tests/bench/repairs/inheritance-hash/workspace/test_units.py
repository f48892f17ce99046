import pytest

from units import Length, distinct


def test_equal_in_different_units():
    assert Length(1, "m") == Length(100, "cm")
    assert Length(1, "cm") != Length(1, "mm")


def test_not_equal_to_numbers():
    assert Length(1) != 1


def test_order():
    assert Length(9, "cm") < Length(1, "m")


def test_add():
    assert Length(1, "m") + Length(5, "mm") == Length(1005)


def test_unit():
    with pytest.raises(ValueError):
        Length(1, "ell")


def test_distinct():
    assert distinct([Length(1, "m"), Length(3), Length(1000), Length(100, "cm")]) == [Length(3), Length(1, "m")]


def test_as_key():
    names = {Length(1, "m"): "metre"}
    assert names[Length(1000)] == "metre"
