import pytest

from weather.reading import Reading


@pytest.mark.parametrize(
    ("reading", "line"),
    [
        (Reading(7, 12.34, 5), "07:00  12.3   5"),
        (Reading(13, -4.0, None), "13:00  -4.0   -"),
        (Reading(23), "23:00     -   -"),
        (Reading(0, 0.0, 0.0), "00:00   0.0   0"),
    ],
)
def test_line(reading, line):
    assert reading.line() == line
