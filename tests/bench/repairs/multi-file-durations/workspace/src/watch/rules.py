from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from watch.duration import parse_duration


@dataclass(frozen=True)
class Rule:
    """A service is late when nothing was heard of it for longer than the limit."""

    service: str
    limit: str

    def late(self, last_seen: datetime, now: datetime) -> bool:
        return (now - last_seen).total_seconds() > parse_duration(self.limit)
