import pytest

from measures import Length, Mass
from measures.quantity import Quantity


@pytest.mark.parametrize(("text", "metres"), [("3 m", 3), ("2.5 km", 2500), ("50 cm", 0.5)])
def test_parse_length(text, metres):
    length = Length.parse(text)
    assert type(length) is Length
    assert length.amount == pytest.approx(metres)


def test_parse_mass():
    assert Mass.parse(" 2 t ") == Mass(2_000_000)


def test_parse_plain_number():
    assert Quantity.parse("7") == Quantity(7)


def test_unit_of_another_kind():
    with pytest.raises(ValueError, match="'kg' is no unit of Length"):
        Length.parse("3 kg")


def test_add():
    assert Length(300) + Length(900) == Length(1200)
    assert str(Length(300) + Length(900)) == "1.2 km"
    assert repr(Mass(1) + Mass(2)) == "Mass(3)"


def test_add_plain_quantities():
    assert Quantity(1) + Quantity(2) == Quantity(3)


def test_add_another_kind():
    with pytest.raises(TypeError):
        Length(1) + Mass(1)


def test_to():
    assert Length(500).to("km") == 0.5


def test_kinds_are_not_equal():
    assert Length(1) != Mass(1)
    assert len({Length(1), Length(1), Mass(1)}) == 2


def test_text():
    assert str(Mass(1500)) == "1.5 kg"
    assert str(Length(20)) == "20 m"
