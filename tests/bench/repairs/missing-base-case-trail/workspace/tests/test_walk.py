from trail.walk import Walk


def test_length():
    walk = Walk("lake", [(0, 0), (3, 4), (3, 10)])
    assert walk.length == 11


def test_sketch_keeps_the_walk():
    walk = Walk("lake", [(0, 0), (0, 0), (4, 0.5), (8, 0)])
    assert walk.sketch().points == [(0, 0), (8, 0)]
    assert len(walk.points) == 4


def test_sketch_of_a_walk_that_just_began():
    walk = Walk("gate")
    assert walk.sketch().points == []
    walk.add(2, 2)
    walk.add(2, 2)
    assert walk.sketch().points == [(2, 2)]
