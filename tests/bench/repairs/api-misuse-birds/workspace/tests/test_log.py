from datetime import date

import pytest

from birdlog import BirdLog, Sighting


@pytest.fixture
def log():
    log = BirdLog()
    log.add(Sighting(date(2024, 5, 2), "wren", "mill pond"))
    log.add(Sighting(date(2024, 4, 28), "teal", "mill pond", 6))
    log.add(Sighting(date(2024, 4, 30), "wren", "churchyard", 2))
    return log


def test_length(log):
    assert len(log) == 3


def test_new_species(log):
    assert log.add(Sighting(date(2024, 6, 1), "swift", "churchyard"))
    assert not log.add(Sighting(date(2024, 6, 1), "wren", "churchyard"))


def test_at_a_place(log):
    assert [sighting.species for sighting in log.at("mill pond")] == ["teal", "wren"]


def test_unknown_place(log):
    assert log.at("moor") == []


def test_first_seen(log):
    assert log.first_seen("wren") == date(2024, 4, 30)
    assert log.first_seen("owl") is None


def test_totals(log):
    assert log.totals() == {"wren": 3, "teal": 6}


def test_richest_place(log):
    assert log.richest_place() == "mill pond"
    log.add(Sighting(date(2024, 5, 9), "swift", "churchyard"))
    assert log.richest_place() == "churchyard"


def test_richest_place_of_an_empty_log():
    assert BirdLog().richest_place() is None


def test_at_least_one_bird():
    with pytest.raises(ValueError, match="at least one"):
        Sighting(date(2024, 5, 2), "wren", "moor", 0)
