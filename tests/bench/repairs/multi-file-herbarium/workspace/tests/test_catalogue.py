import pytest

from herbarium.catalogue import Catalogue, UnknownSheet


def test_find(catalogue):
    assert catalogue.find("B7").species == "Salvia glutinosa"


def test_unknown_sheet(catalogue):
    with pytest.raises(UnknownSheet, match="no sheet Z9"):
        catalogue.find("Z9")


def test_of_species(catalogue):
    assert [sheet.number for sheet in catalogue.of_species("Linum perenne")] == ["A1", "A2"]


def test_empty():
    assert list(Catalogue()) == []
