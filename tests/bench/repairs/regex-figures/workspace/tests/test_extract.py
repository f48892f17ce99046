import pytest

from figures.extract import largest, numbers, percentages, years


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("We sold 7 cars and 3.5 tons.", [7, 3.5]),
        ("In all 1,250,000 people, 12,000.75 each", [1250000, 12000.75]),
        ("the A4 and the b52", []),
        ("no figures", []),
    ],
)
def test_numbers(text, expected):
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("up 5 %, down 2.5%", [5, 2.5]), ("12 percent of 40", [12]), ("0.5 per cent", [0.5]), ("5 percentages", [])],
)
def test_percentages(text, expected):
    assert percentages(text) == expected


def test_years():
    assert years("From 1987 to 2015, and again in 1987") == [1987, 2015]


def test_years_are_whole_words():
    assert years("flight 20155, room 1899, year 1900") == [1900]


def test_no_years():
    assert years("in 1815") == []


def test_largest():
    assert largest("between 900 and 1,000") == 1000
    assert largest("none") is None
