from aquarium.fish import Fish
from aquarium.tanks import growth, litres_needed, species, stocking

LINES = ["# spring", "guppy, 3.5, A", "", "tetra, 2.5, A", "guppy, 4, B"]


def test_stocking():
    tanks = stocking(LINES)
    assert list(tanks) == ["A", "B"]
    assert tanks["B"] == [Fish("guppy", 4, "B")]


def test_litres_needed():
    assert litres_needed(stocking(LINES)) == {"A": 9, "B": 6}
    assert litres_needed({}) == {}


def test_species():
    assert species(stocking(LINES)) == ["guppy", "tetra"]


def test_growth():
    before = [Fish("guppy", 3.5, "A"), Fish("tetra", 2.5, "A")]
    after = [Fish("guppy", 3.8, "A"), Fish("tetra", 2.5, "A")]
    assert growth(before, after) == [0.3, 0.0]
