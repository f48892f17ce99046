import pytest

from knitting.chart import Chart
from knitting.export import UnknownFormat, export, filename, names
from knitting.formats import grid

LACE = Chart("Old Lace", ("kkpp", "otko"))


def test_names():
    assert names() == ["grid", "words"]


def test_grid_itself():
    assert grid.render(LACE) == "O/.O\n..--"


def test_export_as_grid():
    assert export(LACE, "grid") == "O/.O\n..--"


def test_export_as_words():
    assert export(LACE, "words") == (
        "Row 1: 2 knit, 2 purl\nRow 2: 1 yarn over, 1 knit two together, 1 knit, 1 yarn over"
    )


def test_unknown_format():
    with pytest.raises(UnknownFormat, match="pdf"):
        export(LACE, "pdf")


def test_filename():
    assert filename(LACE, "grid") == "old-lace.grid"
