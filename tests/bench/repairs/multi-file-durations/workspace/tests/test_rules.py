from datetime import datetime, timedelta

from watch.rules import Rule

NOW = datetime(2024, 5, 1, 12, 0)


def test_late():
    assert Rule("db", "5m").late(NOW - timedelta(minutes=6), NOW)


def test_in_time():
    assert not Rule("db", "5m").late(NOW - timedelta(minutes=5), NOW)
