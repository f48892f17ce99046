from climbs.entry import flash, worked
from climbs.logbook import dump, effort, hardest, load, partners

DAY = [worked("Slab", 4, 2), worked("Prow", 7, 5, "Kim"), worked("Arete", 7, 3)]


def test_flash() -> None:
    climb = flash("Groove", 5)
    assert climb["route"] == "Groove"
    assert climb["grade"] == 5


def test_worked() -> None:
    assert worked("Prow", 7, 5) == {"route": "Prow", "grade": 7, "attempts": 5}
    assert worked("Prow", 7, 5, "Kim")["partner"] == "Kim"


def test_hardest() -> None:
    assert hardest(DAY) == "Prow"
    assert hardest([]) is None


def test_effort() -> None:
    assert effort(DAY) == 10
    assert effort([]) == 0


def test_partners() -> None:
    assert partners([*DAY, flash("Groove", 5)]) == {"Kim"}


def test_there_and_back() -> None:
    assert load(dump(DAY)) == DAY
