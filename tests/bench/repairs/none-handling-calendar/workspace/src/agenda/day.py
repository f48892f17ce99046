from __future__ import annotations

from datetime import timedelta

from agenda.event import Event


def clashes(events: list[Event]) -> list[tuple[str, str]]:
    """Pairs of events that are on at the same time, in order of their start."""
    ordered = sorted(events, key=lambda event: event.start)
    found = []
    for index, first in enumerate(ordered):
        for second in ordered[index + 1 :]:
            if second.start < first.end:
                found.append((first.title, second.title))
    return found


def busy(events: list[Event]) -> timedelta:
    """Time that is taken; what overlaps counts once."""
    total = timedelta()
    until = None
    for event in sorted(events, key=lambda event: event.start):
        start = event.start if until is None else max(event.start, until)
        if event.end > start:
            total += event.end - start
            until = event.end
    return total


def agenda_lines(events: list[Event]) -> list[str]:
    ordered = sorted(events, key=lambda event: event.start)
    return [f"{event.start:%H:%M}-{event.finish():%H:%M} {event.title}" for event in ordered]
