import pytest

from glossary.terms import Term, load


def test_load():
    assert load("jib: a sail before the mast\n\nlee : the side away from the wind") == [
        Term("jib", "a sail before the mast"),
        Term("lee", "the side away from the wind"),
    ]


def test_twice():
    with pytest.raises(ValueError, match="twice: JIB"):
        load("jib: a sail\nJIB: the same sail")


def test_anchor():
    assert Term("Bow line", "a rope").anchor == "bow-line"
