import random
from itertools import combinations

from dungeon.generate import corridor, draw, floor, place_rooms
from dungeon.rooms import Room


def test_rooms_touching_overlap():
    assert Room(0, 0, 3, 3).overlaps(Room(3, 0, 3, 3))
    assert not Room(0, 0, 3, 3).overlaps(Room(4, 0, 3, 3))


def test_centre():
    assert Room(2, 3, 5, 4).centre == (4, 5)


def test_corridor_has_a_corner():
    assert corridor((1, 1), (3, 2)) == {(1, 1), (2, 1), (3, 1), (3, 2)}


def test_floor_of_one_room():
    assert floor([Room(0, 0, 2, 2)]) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_rooms_do_not_touch():
    rooms = place_rooms(40, 20, 6, random.Random(3))
    assert len(rooms) > 1
    assert not any(one.overlaps(other) for one, other in combinations(rooms, 2))


def test_no_more_rooms_than_wanted():
    assert len(place_rooms(60, 40, 2, random.Random(5))) == 2


def test_the_default_map_is_always_the_same():
    first = draw(30, 12, 4)
    assert draw(30, 12, 4) == first


def test_a_seed_gives_its_map():
    assert draw(30, 12, 4, random.Random(8)) == draw(30, 12, 4, random.Random(8))


def test_one_generator_gives_different_maps():
    rng = random.Random(8)
    assert draw(30, 12, 4, rng) != draw(30, 12, 4, rng)


def test_default_rooms_do_not_depend_on_earlier_maps():
    rooms = place_rooms(30, 12, 4)
    draw(50, 50, 9)
    assert place_rooms(30, 12, 4) == rooms
