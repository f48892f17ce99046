"""Maps made by chance; the same generator gives the same map."""

import random

from dungeon.rooms import Room

SEED = 1980
TRIES = 60


def place_rooms(width, height, wanted, rng=random.Random(SEED)):
    """At most as many rooms as wanted, none of which touch; without a generator always the same ones."""
    rooms = []
    for _ in range(TRIES):
        if len(rooms) == wanted:
            break
        w, h = rng.randint(3, 6), rng.randint(3, 5)
        room = Room(rng.randint(0, width - w), rng.randint(0, height - h), w, h)
        if not any(room.overlaps(other) for other in rooms):
            rooms.append(room)
    return rooms


def corridor(start, end):
    """Tiles from one centre to another, first along x and then along y."""
    (x1, y1), (x2, y2) = start, end
    across = {(x, y1) for x in range(min(x1, x2), max(x1, x2) + 1)}
    down = {(x2, y) for y in range(min(y1, y2), max(y1, y2) + 1)}
    return across | down


def floor(rooms):
    """All tiles that can be walked on."""
    tiles = set()
    for room in rooms:
        tiles |= room.tiles()
    for here, there in zip(rooms, rooms[1:]):
        tiles |= corridor(here.centre, there.centre)
    return tiles


def draw(width, height, wanted, rng=random.Random(SEED)):
    tiles = floor(place_rooms(width, height, wanted, rng))
    return "\n".join("".join("." if (x, y) in tiles else "#" for x in range(width)) for y in range(height))
