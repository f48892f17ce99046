from datetime import date

from weather import Station, fahrenheit, report

JAN = date(2024, 1, 14)
JUL = date(2024, 7, 3)


def make():
    s = Station("Oslo")
    for v in (-11.5, -4.0, -7.2):
        s.record(JAN, v)
    for v in (14.0, 23.5):
        s.record(JUL, v)
    return s


def test_fahrenheit():
    assert fahrenheit(100) == 212
    assert fahrenheit(-40) == -40


def test_summer_peak():
    assert make().warmest(JUL) == 23.5


def test_winter_peak():
    assert make().warmest(JAN) == -4.0


def test_no_data():
    assert make().warmest(date(2020, 1, 1)) is None
    assert report(make(), date(2020, 1, 1)) == "Oslo: no data"


def test_report():
    assert report(make(), JUL) == "Oslo: 23.5 C / 74.3 F"


def test_frost_days():
    assert make().frost_days() == [JAN]
