import pytest

from palette import Theme
from palette.colour import Colour
from palette.style import link_colour, text_colour


@pytest.fixture
def dusk():
    return Theme("dusk", {"background": "#112", "link": "#80a0ff", "text": "#eee"})


@pytest.fixture
def bare():
    return Theme("bare", {"background": "#ffffff"})


def test_parse():
    assert Colour.parse("#80A0ff") == (128, 160, 255)
    assert Colour.parse("#1af") == (17, 170, 255)


@pytest.mark.parametrize("text", ["red", "#12", "#12345", "80a0ff"])
def test_no_colour(text):
    with pytest.raises(ValueError, match="not a colour"):
        Colour.parse(text)


def test_attributes(dusk):
    assert dusk.name == "dusk"
    assert dusk.background == (17, 17, 34)


def test_roles(dusk):
    assert len(dusk) == 3
    assert dusk.roles() == ["background", "link", "text"]


def test_role_that_a_theme_lacks(bare):
    assert not hasattr(bare, "link")
    with pytest.raises(AttributeError, match="'bare' has no colour 'border'"):
        _ = bare.border


def test_text_colour(dusk):
    assert text_colour(dusk) == (238, 238, 238)


def test_text_colour_by_background(bare):
    assert text_colour(bare) == (0, 0, 0)
    assert text_colour(Theme("night", {"background": "#000"})) == (255, 255, 255)


def test_link_colour(dusk, bare):
    assert link_colour(dusk) == (128, 160, 255)
    assert link_colour(bare) == (0, 0, 0)
