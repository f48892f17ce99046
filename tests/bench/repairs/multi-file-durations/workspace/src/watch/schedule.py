from __future__ import annotations

from datetime import datetime, timedelta

from watch.duration import parse_duration


def next_run(last: datetime, every: str) -> datetime:
    """When a job that repeats runs again."""
    return last + timedelta(seconds=parse_duration(every))


def runs_between(start: datetime, end: datetime, every: str) -> int:
    """How often it runs after the start until the end."""
    if parse_duration(every) > end - start:
        return 0
    return (end - start) // parse_duration(every)
