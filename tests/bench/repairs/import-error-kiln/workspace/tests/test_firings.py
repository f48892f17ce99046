import pytest

from kiln.firings import BISQUE, GLAZE, Schedule
from kiln.segment import Segment


def test_duration_runs_from_the_room_through_all_segments():
    schedule = Schedule("test", [Segment(120, 100, hold=5), Segment(60, 60)])
    assert schedule.minutes() == 125


def test_empty_schedule():
    schedule = Schedule("rest", [])
    assert schedule.minutes() == 0
    assert schedule.peak == 20


def test_bisque():
    assert str(BISQUE) == "bisque to 1000 °C in 11:45"


def test_glaze():
    assert str(GLAZE) == "glaze to 1220 °C in 6:10"
    assert GLAZE.peak == pytest.approx(1220)
