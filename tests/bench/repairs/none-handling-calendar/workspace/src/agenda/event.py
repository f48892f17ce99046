from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SHORT = timedelta(minutes=30)


@dataclass(frozen=True)
class Event:
    """Something in the calendar. An event without an end takes half an hour."""

    title: str
    start: datetime
    end: datetime | None = None

    def finish(self) -> datetime:
        return self.end if self.end is not None else self.start + SHORT
