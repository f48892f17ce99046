import pytest
from voting import Ballot, read_ballots


def test_equal_rankings_become_one_ballot():
    text = """
        Ada > Bo > Cy
        4: Bo > Ada
        Ada > Bo > Cy
    """
    assert read_ballots(text) == [Ballot(("Ada", "Bo", "Cy"), 2), Ballot(("Bo", "Ada"), 4)]


def test_blank_ballots_have_no_ranking():
    assert read_ballots("3:\n2: Ada") == [Ballot((), 3), Ballot(("Ada",), 2)]


def test_nobody_is_ranked_twice():
    with pytest.raises(ValueError, match="ranked twice: Ada > Bo > Ada"):
        read_ballots("Ada > Bo > Ada")
