import pytest

from harbour import Call, arrivals_board, free_berths, next_berth
from harbour.berths import berth_order, normalise


@pytest.mark.parametrize(("label", "expected"), [("7", "7"), ("n 012B", "N12b"), ("07 A", "7a")])
def test_normalise(label, expected):
    assert normalise(label) == expected


def test_a_berth_has_a_number():
    with pytest.raises(ValueError, match="no berth number"):
        normalise("North")


def test_numbers_are_ordered_by_value():
    assert sorted(["N10", "N9", "N100", "E11"], key=berth_order) == ["E11", "N9", "N10", "N100"]


def test_sides_come_behind_their_berth():
    assert sorted(["N2b", "N10", "N2", "N2a"], key=berth_order) == ["N2", "N2a", "N2b", "N10"]


def test_free_berths_of_one_pier():
    calls = [Call("Alba", "n 2", 40)]
    assert free_berths(["N10", "N2", "N1"], calls) == ["N1", "N10"]


def test_free_berths_of_the_whole_harbour():
    calls = [Call("Alba", "N2", 40), Call("Brise", "3", 25)]
    assert free_berths(["N10", "12", "N2", "3", "E1", "2", "2b"], calls) == ["2", "2b", "12", "E1", "N10"]


def test_next_berth_prefers_the_old_quay():
    assert next_berth(["E1", "N1", "11", "9"], [Call("Alba", "9", 40)]) == "11"


def test_no_berth_in_a_full_harbour():
    assert next_berth(["N1"], [Call("Alba", "N1", 40)]) is None


def test_board_of_one_pier():
    calls = [Call("Dora", "N2", 18), Call("Cora", "N2", 12), Call("Alba", "N1", 40)]
    assert arrivals_board(calls) == ["N1   Alba (40 m, pier N)", "N2   Cora (12 m, pier N)", "N2   Dora (18 m, pier N)"]


def test_board_of_the_whole_harbour():
    calls = [Call("Alba", "N1", 40), Call("Brise", "3", 25)]
    assert arrivals_board(calls) == ["3    Brise (25 m, old quay)", "N1   Alba (40 m, pier N)"]
