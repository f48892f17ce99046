import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from report.table import line, table, widths  # noqa: E402

ROWS = [["bolt", 12], ["washer", 7]]


def test_widths():
    assert widths(ROWS) == [6, 2]


def test_line():
    assert line(["a", "b"], [3, 5]) == "a   | b"


def test_body():
    lines = table("stock", ["name", "n"], ROWS).splitlines()
    assert lines[3:5] == ["bolt   | 12", "washer | 7"]


def test_title():
    assert table("stock", ["name", "n"], ROWS).splitlines()[0] == "STOCK"


def test_closing_line():
    assert table("stock", ["name", "n"], ROWS).splitlines()[-1] == "(stock: 2 rows)"
