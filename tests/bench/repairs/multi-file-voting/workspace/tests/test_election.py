import pytest
from voting import Ballot, read_ballots, summary, winner
from voting.runoff import first_choices

MEETING = """
5: Ada > Cy
4: Bo > Cy > Ada
3: Cy > Bo
2:
"""


def test_first_choices_of_different_ballots():
    ballots = [Ballot(("Ada", "Bo")), Ballot(("Bo",)), Ballot(("Cy", "Ada"))]
    assert first_choices(ballots, {"Ada", "Bo"}) == {"Ada": 2, "Bo": 1}


def test_first_choices_of_the_meeting():
    assert first_choices(read_ballots(MEETING), {"Ada", "Bo", "Cy"}) == {"Ada": 5, "Bo": 4, "Cy": 3}


def test_the_last_one_drops_out_and_the_votes_move_on():
    assert winner(read_ballots(MEETING)) == "Bo"


def test_more_than_half_wins_at_once():
    assert winner(read_ballots("7: Cy > Ada\n2: Ada\n2: Bo > Ada")) == "Cy"


def test_nobody_wins_without_a_ranking():
    assert winner(read_ballots("2:")) is None


def test_summary_of_the_meeting():
    assert summary(read_ballots(MEETING), entitled=20) == "14 of 20 voted (70 %), 2 blank"


def test_summary_of_single_ballots():
    assert summary([Ballot(("Ada",)), Ballot(())], entitled=4) == "2 of 4 voted (50 %), 1 blank"


def test_no_more_votes_than_people():
    with pytest.raises(ValueError, match="14 votes were cast by 10 people"):
        summary(read_ballots(MEETING), entitled=10)
