import pytest

from timetable.plan import Lesson, by_day, clashes, week

ART = Lesson("Tue", 10, "Art", "r1")
MATHS = Lesson("Mon", 8, "Maths", "r1")
MUSIC = Lesson("Tue", 8, "Music", "hall")
SPORT = Lesson("Fri", 13, "Sport")


def test_by_day():
    assert by_day([ART, MATHS, MUSIC]) == {"Mon": [MATHS], "Tue": [MUSIC, ART]}


def test_days_in_the_order_of_the_week():
    assert list(by_day([SPORT, ART, MATHS])) == ["Mon", "Tue", "Fri"]


def test_lessons_can_be_read_twice():
    plan = by_day([SPORT, MATHS])
    assert [len(of_day) for of_day in plan.values()] == [1, 1]
    assert [lesson for of_day in plan.values() for lesson in of_day] == [MATHS, SPORT]


def test_no_lessons():
    assert by_day([]) == {}
    assert week([]) == ""


def test_unknown_day():
    with pytest.raises(ValueError):
        by_day([Lesson("Sun", 8, "Rest")])


def test_week():
    assert week([ART, MATHS, MUSIC, SPORT]) == "Mon: 8 Maths\nTue: 8 Music, 10 Art\nFri: 13 Sport"


def test_clashes():
    assert clashes([ART, MATHS, Lesson("Tue", 10, "Maths", "r1"), SPORT, SPORT]) == [("Tue", 10, "r1")]


def test_no_clashes():
    assert clashes([ART, MATHS, MUSIC]) == []
