import pytest

from drawing.canvas import Canvas
from drawing.shapes import Circle, Rectangle
from drawing.svg import document, element


def test_circle():
    assert element(Circle(2.5)) == '<circle r="2.5"/>'


def test_rectangle():
    assert element(Rectangle(4, 3)) == '<rect width="4" height="3"/>'


def test_unknown_shape():
    with pytest.raises(TypeError, match="cannot draw str"):
        element("circle")


def test_empty_document():
    assert document(Canvas(), size=10) == '<svg viewBox="0 0 10 10"></svg>'


def test_document_keeps_the_order():
    canvas = Canvas()
    canvas.put(Rectangle(1, 2))
    canvas.put(Circle(1))
    assert document(canvas) == '<svg viewBox="0 0 100 100"><rect width="1" height="2"/><circle r="1"/></svg>'


def test_covered():
    canvas = Canvas()
    canvas.put(Rectangle(2, 3))
    canvas.put(Rectangle(1, 1))
    assert canvas.covered() == 7


def test_area_of_a_circle():
    assert Circle(1).area == pytest.approx(3.14159, abs=1e-5)
