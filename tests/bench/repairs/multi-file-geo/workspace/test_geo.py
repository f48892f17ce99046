import json

import pytest

from geo.export import to_geojson
from geo.point import Point, haversine
from geo.track import Track

ROME = Point(41.9, 12.5, "Rome")
PARIS = Point(48.86, 2.35, "Paris")
FIELD = Point(45.0, 7.0)


def test_haversine():
    assert haversine(ROME, PARIS) == pytest.approx(1107, abs=5)
    assert haversine(ROME, ROME) == 0


def test_length():
    assert Track([ROME, PARIS, ROME]).length() == pytest.approx(2 * haversine(ROME, PARIS))


def test_short_track():
    assert Track([ROME]).length() == 0


def test_waypoints():
    assert Track([ROME, FIELD, PARIS]).waypoints() == ["Rome", "Paris"]


def test_export():
    data = json.loads(to_geojson(Track([ROME])))
    assert data["features"][0]["properties"] == {"name": "Rome"}
    assert data["features"][0]["geometry"]["coordinates"] == [12.5, 41.9]


def test_export_of_nothing():
    assert json.loads(to_geojson(Track([])))["features"] == []
