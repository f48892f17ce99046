from hike.track import Point, ascent, distance, minutes, parse


def flat(*elevations):
    return [Point(10 * number, float(number), elevation) for number, elevation in enumerate(elevations)]


def test_parse():
    assert parse(["15 1.2 640", "0 0 600"]) == [Point(0, 0.0, 600), Point(15, 1.2, 640)]


def test_ascent_from_the_shore():
    assert ascent(flat(0, 120, 80, 200)) == 240


def test_ascent_in_the_mountains():
    assert ascent(flat(1200, 1500, 1400, 1450)) == 350
    assert ascent(flat(900, 700, 500)) == 0


def test_ascent_without_noise():
    assert ascent(flat(0, 2, 1, 2, 0)) == 0


def test_an_empty_track():
    assert (ascent([]), distance([]), minutes([])) == (0, 0.0, 0)


def test_distance_and_minutes():
    points = parse(["5 0.5 0", "65 5.5 0"])
    assert distance(points) == 5
    assert minutes(points) == 60
