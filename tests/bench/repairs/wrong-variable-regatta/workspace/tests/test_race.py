import pytest

from regatta.handicap import Finish, parse_clock
from regatta.race import places, points, standings

ENTERED = ["Albatross", "Bluebird", "Curlew"]


def finish(boat, rating, clock):
    return Finish(boat, rating, parse_clock(clock))


@pytest.mark.parametrize(("text", "seconds"), [("59", 59), ("02:03", 123), ("1:02:03", 3723)])
def test_clock(text, seconds):
    assert parse_clock(text) == seconds


def test_corrected():
    assert finish("Albatross", 1250, "1:00:00").corrected == 2880
    assert finish("Bluebird", 1000, "50:00").corrected == 3000


def test_places_by_corrected_time():
    race = [finish("Albatross", 1000, "50:00"), finish("Bluebird", 1250, "1:00:00"), finish("Curlew", 900, "46:00")]
    assert places(race) == {"Bluebird": 1, "Albatross": 2, "Curlew": 3}


def test_same_boats_dead_heat():
    race = [finish("Albatross", 1000, "50:00"), finish("Bluebird", 1000, "50:00"), finish("Curlew", 1000, "50:01")]
    assert places(race) == {"Albatross": 1, "Bluebird": 1, "Curlew": 3}


def test_dead_heat_on_corrected_time():
    race = [finish("Albatross", 1200, "1:00:00"), finish("Bluebird", 1000, "50:00"), finish("Curlew", 800, "40:00")]
    assert places(race) == {"Albatross": 1, "Bluebird": 1, "Curlew": 1}


def test_nobody_finishes():
    assert places([]) == {}
    assert points({}, ENTERED) == {"Albatross": 4, "Bluebird": 4, "Curlew": 4}


def test_standings_with_a_discard():
    races = [
        [finish("Albatross", 1000, "50:00"), finish("Bluebird", 1000, "51:00"), finish("Curlew", 1000, "52:00")],
        [finish("Bluebird", 1000, "48:00"), finish("Curlew", 1000, "49:00")],
    ]
    assert standings(races, ENTERED) == [("Bluebird", 3), ("Albatross", 5), ("Curlew", 5)]
    assert standings(races, ENTERED, discards=1) == [("Albatross", 1), ("Bluebird", 1), ("Curlew", 2)]


def test_standings_with_a_shared_place():
    race = [finish("Albatross", 900, "45:00"), finish("Bluebird", 1000, "50:00"), finish("Curlew", 1000, "55:00")]
    assert standings([race], ENTERED) == [("Albatross", 1), ("Bluebird", 1), ("Curlew", 3)]
