import pytest

from antiques.catalogue import page, turnover
from antiques.items import Item, parse
from antiques.search import between, matching, words

STOCK = [
    parse("Oak chest | furniture | baroque | 900"),
    parse("Oak table | furniture | empire | 1200 | sold"),
    parse("Mantel clock | clock | empire | 450"),
    parse("Longcase clock | clock | baroque | 2100 | sold"),
    parse("Bracket clock | clock | baroque | 1600"),
]


def names(items):
    return [item.name for item in items]


def test_parse():
    assert STOCK[0] == Item("Oak chest", "furniture", "baroque", 900)
    assert STOCK[3].sold


def test_without_criteria():
    assert list(matching(STOCK)) == STOCK


def test_one_criterion():
    assert names(matching(STOCK, kind="furniture")) == ["Oak chest", "Oak table"]


def test_several_criteria():
    assert names(matching(STOCK, kind="clock", period="baroque")) == ["Longcase clock", "Bracket clock"]
    assert names(matching(STOCK, period="empire", sold=True)) == ["Oak table"]


def test_unknown_criterion():
    with pytest.raises(TypeError, match="cannot search by maker, wood"):
        matching(STOCK, wood="oak", maker="?", kind="clock")


def test_between():
    assert names(between(STOCK, 450, 1200)) == ["Mantel clock", "Oak chest", "Oak table"]


def test_words():
    assert names(words(STOCK, "CLOCK")) == ["Mantel clock", "Longcase clock", "Bracket clock"]
    assert names(words(STOCK, "oak table")) == ["Oak table"]


def test_page():
    assert page(STOCK, "clock", "baroque") == ["Bracket clock: 1600"]
    assert page(STOCK, "furniture", "empire") == []


def test_turnover():
    assert turnover(STOCK) == 3300
