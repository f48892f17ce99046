import pytest

from orchard.harvest import kilos_by_row, mean_kilos, total_kilos
from orchard.orchard import Orchard
from orchard.trees import AppleTree, PearTree, Tree


@pytest.fixture
def orchard() -> Orchard:
    return Orchard(
        apples=[AppleTree(1, 1980, 60.0), AppleTree(1, 2001, 80.0, "Elstar"), AppleTree(2, 2019, 10.0, "Topaz")],
        pears=[PearTree(2, 1975, 50.0, trellis=True)],
    )


def test_total(orchard: Orchard) -> None:
    assert total_kilos(orchard.trees()) == 200.0
    assert total_kilos(tree for tree in orchard.pears) == 50.0


def test_mean() -> None:
    assert mean_kilos([Tree(1, 2000, 10.0), Tree(1, 2000, 20.0)]) == 15.0


def test_mean_without_trees() -> None:
    assert mean_kilos([]) == 0.0


def test_rows(orchard: Orchard) -> None:
    assert orchard.rows() == {1: 140.0, 2: 60.0}
    assert kilos_by_row([]) == {}


def test_share_of_apples(orchard: Orchard) -> None:
    assert orchard.share_of_apples() == 0.75
    assert Orchard().share_of_apples() == 0.0


def test_weak_apples(orchard: Orchard) -> None:
    assert [tree.variety for tree in orchard.weak_apples()] == ["Topaz"]


def test_to_replace(orchard: Orchard) -> None:
    assert orchard.to_replace(2024) == [orchard.pears[0], orchard.apples[0]]
    assert orchard.to_replace(2024, oldest=60) == []
