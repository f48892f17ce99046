import pytest

from trail.simplify import distance, simplify, without_repeats


@pytest.mark.parametrize(
    ("point", "expected"),
    [((5, 3), 3), ((13, 4), 5), ((-3, -4), 5), ((7, 0), 0)],
)
def test_distance(point, expected):
    assert distance(point, (0, 0), (10, 0)) == pytest.approx(expected)


def test_distance_to_a_piece_without_length():
    assert distance((3, 4), (0, 0), (0, 0)) == 5


def test_without_repeats():
    assert without_repeats([(0, 0), (0, 0), (1, 0), (0, 0)]) == [(0, 0), (1, 0), (0, 0)]


def test_nearly_straight():
    assert simplify([(0, 0), (3, 0.2), (6, -0.1), (9, 0)], 0.5) == [(0, 0), (9, 0)]


def test_corner_stays():
    assert simplify([(0, 0), (5, 0.1), (10, 0), (10, 5), (10, 10)], 0.5) == [(0, 0), (10, 0), (10, 10)]


def test_zigzag_stays():
    points = [(0, 0), (1, 5), (2, 0), (3, 5)]
    assert simplify(points, 1) == points


def test_zigzag_with_a_wide_tolerance():
    assert simplify([(0, 0), (1, 5), (2, 0), (3, 5)], 5) == [(0, 0), (3, 5)]
