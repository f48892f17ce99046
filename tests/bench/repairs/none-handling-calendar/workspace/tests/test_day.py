from datetime import datetime, timedelta

from agenda.day import agenda_lines, busy, clashes
from agenda.event import Event


def at(hour, minute=0):
    return datetime(2024, 9, 2, hour, minute)


STANDUP = Event("standup", at(9), at(9, 15))
REVIEW = Event("review", at(9, 10), at(10))
CALL = Event("call", at(11))
LUNCH = Event("lunch", at(11, 20), at(12))


def test_finish():
    assert STANDUP.finish() == at(9, 15)
    assert CALL.finish() == at(11, 30)


def test_clashes():
    assert clashes([REVIEW, STANDUP]) == [("standup", "review")]


def test_no_clashes():
    assert clashes([STANDUP, LUNCH]) == []


def test_clash_with_an_open_end():
    assert clashes([STANDUP, CALL, LUNCH]) == [("call", "lunch")]


def test_busy():
    assert busy([STANDUP, REVIEW]) == timedelta(hours=1)


def test_busy_with_an_open_end():
    assert busy([CALL, LUNCH]) == timedelta(hours=1)


def test_nothing():
    assert clashes([]) == []
    assert busy([]) == timedelta()


def test_lines():
    assert agenda_lines([LUNCH, CALL]) == ["11:00-11:30 call", "11:20-12:00 lunch"]
