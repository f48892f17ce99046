import pytest

from herbarium.catalogue import Catalogue, Sheet


@pytest.fixture
def catalogue():
    return Catalogue(
        [
            Sheet("A1", "Linum perenne", "M. Hart", cabinet=2),
            Sheet("A2", "Linum perenne"),
            Sheet("B7", "Salvia glutinosa", "I. Roe", cabinet=2),
        ]
    )
