from geometry.rect import Rect, bounding_box, from_corners, intersection


def test_corners_round_trip():
    r = from_corners(2, 3, 10, 7)
    assert r == Rect(2, 3, 8, 4)
    assert (r.right, r.bottom) == (10, 7)


def test_area():
    assert Rect(0, 0, 3, 5).area == 15


def test_intersection():
    assert intersection(Rect(0, 0, 4, 4), Rect(2, 1, 5, 2)) == Rect(2, 1, 2, 2)


def test_no_intersection():
    assert intersection(Rect(0, 0, 1, 1), Rect(1, 0, 1, 1)) is None


def test_bounding_box_of_one():
    assert bounding_box([Rect(0, 0, 6, 6)]) == Rect(0, 0, 6, 6)


def test_bounding_box_of_two():
    assert bounding_box([Rect(1, 1, 2, 2), Rect(6, 2, 4, 3)]) == Rect(1, 1, 9, 4)
