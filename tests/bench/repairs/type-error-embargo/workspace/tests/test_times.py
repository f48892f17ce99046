from datetime import datetime, timedelta, timezone

import pytest

from newsdesk.times import format_time, parse_time


def test_offset_is_kept():
    assert parse_time("2024-05-01 08:00+02:00").utcoffset() == timedelta(hours=2)


def test_zulu():
    assert parse_time("2024-05-01T08:00Z") == datetime(2024, 5, 1, 8, tzinfo=timezone.utc)


def test_no_offset_means_utc():
    assert parse_time(" 2024-05-01T08:00 ") == datetime(2024, 5, 1, 8, tzinfo=timezone.utc)


def test_no_time():
    with pytest.raises(ValueError):
        parse_time("tomorrow")


def test_format():
    assert format_time(parse_time("2024-05-01 08:00+02:00")) == "2024-05-01 06:00 UTC"
