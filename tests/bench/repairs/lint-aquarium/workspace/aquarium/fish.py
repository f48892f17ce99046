from __future__ import annotations

from dataclasses import dataclass


class BadRecord(Exception):
    pass


@dataclass(frozen=True)
class Fish:
    species: str
    length: float
    tank: str


def parse(line):
    """A fish from a line such as `guppy, 3.5, A`; raises BadRecord."""
    parts = [part.strip() for part in line.split(",")]
    if len(parts) != 3:
        raise BadRecord(f"{len(parts)} parts: {line}")
    species, length, tank = parts
    try:
        return Fish(species, float(length), tank)
    except ValueError:
        raise BadRecord(f"not a length: {length}")
