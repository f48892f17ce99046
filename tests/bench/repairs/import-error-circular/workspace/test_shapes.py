import pytest

from shapes.flat import Box, Circle
from shapes.base import largest
from shapes.registry import load, register


def test_area():
    assert Box(2, 3).area() == 6
    assert round(Circle(1).area(), 4) == 3.1416


def test_round_trip():
    box = load(Box(4, 5).to_dict())
    assert isinstance(box, Box)
    assert box.area() == 20


def test_largest():
    assert largest([Box(1, 1), Circle(3), Box(2, 2)]).kind == "circle"


def test_register_refuses_strangers():
    with pytest.raises(TypeError):
        register(dict)
