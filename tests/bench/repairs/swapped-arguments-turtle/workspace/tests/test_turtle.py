import pytest

from plotter.figures import path, polygon
from plotter.turtle import Turtle


def test_forward():
    turtle = Turtle()
    turtle.forward(10)
    turtle.right(90)
    turtle.forward(5)
    assert turtle.position == (5, 10)


def test_left_goes_round():
    turtle = Turtle(heading=30)
    turtle.left(90)
    assert turtle.heading == 300


def test_pen_up():
    turtle = Turtle()
    turtle.pen = False
    turtle.forward(10)
    assert turtle.strokes == []


def test_square_comes_back():
    turtle = Turtle(1, 1)
    polygon(turtle, 4, 3)
    assert turtle.position == (1, 1)
    assert turtle.strokes[1] == ((1, 4), (4, 4))


def test_bearing_on_the_diagonals():
    turtle = Turtle(2, 2)
    assert turtle.bearing(5, 5) == pytest.approx(45)
    assert turtle.bearing(-1, -1) == pytest.approx(225)


@pytest.mark.parametrize(("point", "heading"), [((2, 9), 0), ((9, 2), 90), ((2, -9), 180), ((-9, 2), 270)])
def test_bearing_to_the_four_winds(point, heading):
    assert Turtle(2, 2).bearing(*point) == pytest.approx(heading)


def test_go_to():
    turtle = Turtle()
    turtle.go_to(3, 4)
    assert turtle.position == (3, 4)


def test_path():
    assert path([(0, 0), (2, 0), (2, -3)]) == [((0, 0), (2, 0)), ((2, 0), (2, -3))]
