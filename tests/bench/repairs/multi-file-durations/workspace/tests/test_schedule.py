from datetime import datetime, timedelta

import pytest

from watch.duration import parse_duration
from watch.schedule import next_run, runs_between

START = datetime(2024, 5, 1, 8, 0)


def test_parse():
    assert parse_duration("90s") == timedelta(seconds=90)
    assert parse_duration(" 2h ") == timedelta(hours=2)


def test_not_a_duration():
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration("soon")


def test_next_run():
    assert next_run(START, "2h") == datetime(2024, 5, 1, 10, 0)


def test_runs_between():
    assert runs_between(START, START + timedelta(hours=1), "25m") == 2
    assert runs_between(START, START + timedelta(minutes=1), "1h") == 0
