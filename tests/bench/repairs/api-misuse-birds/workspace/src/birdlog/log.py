"""What birds were seen where, and when for the first time."""

from __future__ import annotations

from collections import Counter
from datetime import date

from birdlog.sighting import Sighting


class BirdLog:
    def __init__(self) -> None:
        self._sightings: list[Sighting] = []
        self._by_place: dict[str, list[Sighting]] = {}
        self._first_seen: dict[str, date] = {}

    def __len__(self) -> int:
        return len(self._sightings)

    def add(self, sighting: Sighting) -> bool:
        """Note a sighting, and say whether its species is new to the log."""
        is_new = sighting.species not in self._first_seen
        self._sightings.append(sighting)
        self._by_place.get(sighting.place, []).append(sighting)
        first = self._first_seen.get(sighting.species, sighting.day)
        self._first_seen[sighting.species] = min(first, sighting.day)
        return is_new

    def at(self, place: str) -> list[Sighting]:
        """The sightings at a place, oldest first."""
        return sorted(self._by_place.get(place, []))

    def first_seen(self, species: str) -> date | None:
        return self._first_seen.get(species)

    def totals(self) -> dict[str, int]:
        """How many birds of each species were seen."""
        birds: Counter[str] = Counter()
        for sighting in self._sightings:
            birds[sighting.species] += sighting.count
        return dict(birds)

    def richest_place(self) -> str | None:
        """Where most species were seen; the first in the alphabet of equal places."""
        species = {place: len({sighting.species for sighting in seen}) for place, seen in self._by_place.items()}
        return min(species, key=lambda place: (-species[place], place), default=None)
