import pytest

from museum.exhibit import Exhibit, parse
from museum.guide import chronological, page, rooms, span

INVENTORY = """\
Oil lamp; East;
Amphora; East; -480
Globe; West; 1542
Astrolabe; West; 1130
"""


@pytest.fixture
def exhibits():
    return [parse(line) for line in INVENTORY.splitlines()]


@pytest.fixture
def dated(exhibits):
    return [exhibit for exhibit in exhibits if exhibit.title != "Oil lamp"]


def test_parse():
    assert parse("Amphora; East; -480") == Exhibit("Amphora", "East", -480)
    assert parse("Oil lamp;East;") == Exhibit("Oil lamp", "East")


def test_labels(exhibits):
    assert [exhibit.label for exhibit in exhibits[:2]] == ["Oil lamp (undated)", "Amphora (-480)"]


def test_chronological_with_all_years(dated):
    assert [exhibit.year for exhibit in chronological(dated)] == [-480, 1130, 1542]


def test_same_year_by_title():
    pair = [Exhibit("Sextant", "West", 1750), Exhibit("Orrery", "West", 1750)]
    assert [exhibit.title for exhibit in chronological(pair)] == ["Orrery", "Sextant"]


def test_undated_last(exhibits):
    assert [exhibit.title for exhibit in chronological(exhibits)] == ["Amphora", "Astrolabe", "Globe", "Oil lamp"]


def test_undated_by_title():
    three = [Exhibit("Ring", "East"), Exhibit("Bowl", "East"), Exhibit("Coin", "East", 0)]
    assert [exhibit.title for exhibit in chronological(three)] == ["Coin", "Bowl", "Ring"]


def test_span(exhibits):
    assert span(exhibits) == (-480, 1542)
    assert span(exhibits[:1]) is None


def test_rooms(dated):
    assert {room: len(shown) for room, shown in rooms(dated).items()} == {"East": 1, "West": 2}


def test_page(exhibits):
    assert page(exhibits).splitlines() == [
        "East:",
        "  Amphora (-480)",
        "  Oil lamp (undated)",
        "West:",
        "  Astrolabe (1130)",
        "  Globe (1542)",
    ]
