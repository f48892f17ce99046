from datetime import date

import pytest

from festival.programme import busiest, by_day, by_venue, clashes
from festival.screening import read

LINES = """\
2024-06-01 18:00|Lumen|Nosferatu|94
2024-06-01 19:00|Apollo|Metropolis|153
2024-06-01 19:45|Lumen|Sunrise|95
2024-06-02 18:00|Lumen|Pandora|133
2024-06-01 16:00|Apollo|The Kid|68
""".splitlines()


@pytest.fixture
def screenings():
    return read(LINES)


def films(shown):
    return [screening.film for screening in shown]


def test_read(screenings):
    assert films(screenings) == ["Nosferatu", "Metropolis", "Sunrise", "Pandora", "The Kid"]
    assert screenings[0].ends.strftime("%H:%M") == "19:34"


def test_by_day(screenings):
    days = by_day(screenings)
    assert list(days) == [date(2024, 6, 1), date(2024, 6, 2)]
    assert films(days[date(2024, 6, 1)]) == ["The Kid", "Nosferatu", "Metropolis", "Sunrise"]


def test_by_venue(screenings):
    venues = by_venue(screenings)
    assert films(venues["Apollo"]) == ["The Kid", "Metropolis"]
    assert films(venues["Lumen"]) == ["Nosferatu", "Sunrise", "Pandora"]


def test_venues_by_name(screenings):
    assert list(by_venue(screenings)) == ["Apollo", "Lumen"]


def test_one_venue(screenings):
    lumen = [screening for screening in screenings if screening.venue == "Lumen"]
    assert by_venue(lumen) == {"Lumen": lumen}


def test_clashes(screenings):
    assert clashes(screenings) == [("Nosferatu", "Sunrise")]


def test_no_clash_between_venues(screenings):
    assert clashes(screenings[:2]) == []


def test_busiest(screenings):
    assert busiest(screenings) == "Lumen"
    assert busiest(screenings[:2]) == "Apollo"


def test_nothing_is_shown():
    assert by_day([]) == by_venue([]) == {}
    assert busiest([]) is None
