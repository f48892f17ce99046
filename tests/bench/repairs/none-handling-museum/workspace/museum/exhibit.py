from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Exhibit:
    title: str
    room: str
    year: int | None = None
    """When it was made; None where nobody knows."""

    @property
    def label(self) -> str:
        return f"{self.title} ({'undated' if self.year is None else self.year})"


def parse(line: str) -> Exhibit:
    """An exhibit from a line of the inventory such as `Amphora; East; -480`."""
    title, room, year = (part.strip() for part in line.split(";"))
    return Exhibit(title, room, int(year) if year else None)
