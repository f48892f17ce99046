import pytest

from spelling import distance, suggest

COMMANDS = ["status", "stash", "start", "commit", "Remote"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("", "", 0),
        ("same", "same", 0),
        ("kitten", "sitting", 3),
        ("flaw", "lawn", 2),
        ("abc", "", 3),
        ("", "abc", 3),
        ("at", "cat", 1),
        ("cat", "at", 1),
        ("intention", "execution", 5),
    ],
)
def test_distance(first, second, expected):
    assert distance(first, second) == expected


def test_distance_is_symmetric():
    assert distance("saturday", "sunday") == distance("sunday", "saturday") == 3


def test_suggest():
    assert suggest("comit", COMMANDS) == ["commit"]


def test_nearest_first():
    assert suggest("stats", COMMANDS) == ["status", "start", "stash"]


def test_known_word():
    assert suggest("remote", COMMANDS) == ["Remote"]


def test_nothing_is_near():
    assert suggest("bisect", COMMANDS) == []


def test_no_known_words():
    assert suggest("x", []) == []
