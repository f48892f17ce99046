import pytest

from meter.usage import by_month, months_above, parse, used

TEXT = """\
# cellar
2024-02-20 1000
2024-02-28 1030

2024-03-10 1080  # read by a neighbour
2024-03-30 1100
"""


@pytest.fixture
def usage():
    return used(parse(TEXT))


def test_parse():
    assert parse(TEXT) == [("2024-02-20", 1000), ("2024-02-28", 1030), ("2024-03-10", 1080), ("2024-03-30", 1100)]


def test_parse_nothing():
    assert parse("\n# nothing\n") == []


def test_used(usage):
    assert usage == {"2024-02-28": 30, "2024-03-10": 50, "2024-03-30": 20}


def test_used_needs_two_readings():
    assert used([("2024-03-01", 5)]) == {}


def test_by_month(usage):
    assert by_month(usage) == {"2024-02": 30, "2024-03": 70}


def test_months_above(usage):
    assert months_above(usage, 30) == 1
    assert months_above(usage, 0) == 2
    assert months_above({}, 0) == 0
