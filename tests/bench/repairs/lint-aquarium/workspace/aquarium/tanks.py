"""Which fish are in which tank, and how crowded it is."""

from __future__ import annotations

from aquarium.fish import parse

LITRES_PER_CENTIMETRE = 1.5


def stocking(lines):
    """The fish of each tank, by name of the tank."""
    tanks = {}
    for line in lines:
        if line.strip() and not line.startswith("#"):
            fish = parse(line)
            tanks.setdefault(fish.tank, []).append(fish)
    return tanks


def litres_needed(tanks):
    """How many litres each tank ought to have."""
    return {name: sum(fish.length for fish in group) * LITRES_PER_CENTIMETRE for name, group in tanks.items()}


def species(tanks):
    """All species, each once, by name."""
    found = set()
    for name, group in tanks.items():
        found.update(fish.species for fish in group)
    return sorted(found)


def growth(before, after):
    """By how much each fish of a tank has grown, in the order of the two lists, which are of the same length."""
    return [round(new.length - old.length, 1) for old, new in zip(before, after)]
