import pytest

from minisheet import Sheet
from minisheet.ranges import cells
from minisheet.refs import Ref, name_of, parse


@pytest.fixture
def sheet():
    return Sheet([[1, 2, 3], [4, 5], [6, 9, 8]])


@pytest.mark.parametrize(("name", "ref"), [("A1", (0, 0)), ("c2", (1, 2)), (" B10 ", (9, 1))])
def test_parse(name, ref):
    assert parse(name) == ref


@pytest.mark.parametrize("name", ["", "1A", "A0", "AA1", "A1:B2"])
def test_not_a_cell(name):
    with pytest.raises(ValueError, match="not a cell"):
        parse(name)


@pytest.mark.parametrize("name", ["A1", "C2", "Z26"])
def test_name(name):
    assert name_of(parse(name)) == name


def test_get(sheet):
    assert sheet["A1"] == 1
    assert sheet["B3"] == 9


def test_beyond_the_edge(sheet):
    assert sheet["C2"] == 0
    assert sheet["A4"] == 0


def test_put(sheet):
    sheet["B2"] = 50
    assert sheet["B2"] == 50
    assert sheet["A2"] == 4
    assert sheet["C2"] == 0


def test_put_grows():
    sheet = Sheet()
    sheet["C2"] = 7
    assert sheet["C2"] == 7
    assert sheet["B2"] == 0
    assert sheet["C1"] == 0


def test_cells():
    assert list(cells("B2:C3")) == [Ref(1, 1), Ref(1, 2), Ref(2, 1), Ref(2, 2)]
    assert list(cells("A1")) == [Ref(0, 0)]


def test_total(sheet):
    assert sheet.total("A1:B2") == 12
    assert sheet.total("A1:C3") == 38
    assert sheet.total("C3") == 8


def test_largest(sheet):
    assert sheet.largest("A1:C3") == "B3"
    assert sheet.largest("A1:C1") == "C1"
