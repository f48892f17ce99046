from datetime import date

from people import Person, adults

TODAY = date(2024, 6, 15)

ADA = Person("Ada", "Lovelace", "King", date(1995, 12, 10))
TIM = Person("Tim", "Lee", born=date(2006, 6, 16))
EVE = Person("Eve", "Moss")


def test_full_name():
    assert ADA.full_name() == "Ada King Lovelace"


def test_full_name_without_middle_name():
    assert TIM.full_name() == "Tim Lee"


def test_initials():
    assert ADA.initials() == "AKL"
    assert EVE.initials() == "EM"


def test_age():
    assert ADA.age(TODAY) == 28
    assert TIM.age(TODAY) == 17
    assert TIM.age(date(2024, 6, 16)) == 18


def test_unknown_age():
    assert EVE.age(TODAY) is None


def test_adults():
    assert adults([ADA, TIM, EVE], TODAY) == [ADA]
