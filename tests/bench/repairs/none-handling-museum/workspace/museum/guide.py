"""What the printed guide says about the exhibits."""

from __future__ import annotations

from collections.abc import Iterable

from museum.exhibit import Exhibit


def chronological(exhibits: Iterable[Exhibit]) -> list[Exhibit]:
    """Oldest first; those without a year come last, by title."""
    return sorted(exhibits, key=lambda exhibit: (exhibit.year, exhibit.title))


def span(exhibits: Iterable[Exhibit]) -> tuple[int, int] | None:
    """The first and the last known year."""
    years = [exhibit.year for exhibit in exhibits if exhibit.year is not None]
    return (min(years), max(years)) if years else None


def rooms(exhibits: Iterable[Exhibit]) -> dict[str, list[Exhibit]]:
    """The exhibits of each room, oldest first."""
    found: dict[str, list[Exhibit]] = {}
    for exhibit in chronological(exhibits):
        found.setdefault(exhibit.room, []).append(exhibit)
    return dict(sorted(found.items()))


def page(exhibits: Iterable[Exhibit]) -> str:
    lines: list[str] = []
    for room, shown in rooms(exhibits).items():
        lines.append(f"{room}:")
        lines.extend(f"  {exhibit.label}" for exhibit in shown)
    return "\n".join(lines)
