from hike.summary import effort, grade, pace
from hike.track import parse

DUNES = parse(["0 0 0", "60 5 20", "120 10 0"])
RIDGE = parse(["0 0 1800", "90 4 2300", "150 7 2100"])


def test_effort():
    assert effort(DUNES) == 10.2
    assert effort(RIDGE) == 12.0


def test_grade():
    assert grade(DUNES) == "moderate"
    assert grade(parse(["0 0 0", "30 3 0"])) == "easy"


def test_grade_in_the_mountains():
    assert grade(RIDGE) == "moderate"


def test_pace():
    assert pace(DUNES) == "12:00"
    assert pace(RIDGE) == "21:26"
    assert pace([]) == "-"
