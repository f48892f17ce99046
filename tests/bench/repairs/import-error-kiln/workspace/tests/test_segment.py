from kiln.segment import Segment


def test_heating():
    assert Segment(620, 100).minutes(20) == 360


def test_cooling():
    assert Segment(500, 50, hold=30).minutes(600) == 150


def test_holding():
    assert Segment(100, 50, hold=12).minutes(100) == 12
