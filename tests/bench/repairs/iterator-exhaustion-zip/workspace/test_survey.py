import pytest

from survey import Survey

TEXT = "team,happy\nred,yes\nblue,no\nred,yes\nblue,yes\n"


@pytest.fixture()
def survey():
    return Survey(TEXT)


def test_questions(survey):
    assert survey.questions == ["team", "happy"]


def test_column(survey):
    assert survey.column("happy") == ["yes", "no", "yes", "yes"]


def test_share(survey):
    assert survey.share("happy", "yes") == 0.75


def test_unknown_question(survey):
    with pytest.raises(ValueError):
        survey.column("age")


def test_crosstab(survey):
    assert survey.crosstab("team", "happy") == {("red", "yes"): 2, ("blue", "no"): 1, ("blue", "yes"): 1}


def test_two_shares(survey):
    assert survey.share("team", "red") == 0.5
    assert survey.share("team", "blue") == 0.5
