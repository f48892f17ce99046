import pytest

from brewery.cellar import pour, serve, stock, tasting
from brewery.vessels import Keg, Tank


def test_pour_from_several_tanks() -> None:
    tanks = [Tank("Lager", 25), Tank("Bock", 105)]
    assert pour(tanks, 50) == 50
    assert stock(tanks) == {"Lager": 5, "Bock": 75}


def test_pour_more_than_there_is() -> None:
    assert pour([Tank("Lager", 25)], 50) == 20


def test_stock() -> None:
    assert stock([Tank("Bock", 9), Keg("Stout")]) == {"Bock": 9, "Stout": 50}


def test_tasting() -> None:
    assert tasting([Tank("Lager", 25), Tank("Bock", 100), Tank("Empty", 5)]) == pytest.approx(0.4)


def test_closed_kegs_serve_nobody() -> None:
    assert not serve([Keg("Stout")], guests=4)
    assert serve([Keg("Stout")], guests=0)
