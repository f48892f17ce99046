from __future__ import annotations

from wildfire.forest import FIRE, TREE, Forest


def hours_until_out(forest: Forest) -> int:
    """How many hours pass until nothing burns any more; the forest is left as it is then."""
    hours = 0
    while forest.count(FIRE):
        forest.step()
        hours += 1
    return hours


def lost(text: str, x: int, y: int) -> int:
    """How many trees a fire takes that begins at a square."""
    forest = Forest(text)
    before = forest.count(TREE)
    forest.ignite(x, y)
    hours_until_out(forest)
    return before - forest.count(TREE)
