"""Points in time. All of them know their offset; text that names none is in UTC."""

from __future__ import annotations

from datetime import datetime, timezone


def parse_time(text: str) -> datetime:
    """Read ISO 8601, such as `2024-05-01T08:00`, `2024-05-01 08:00+02:00` or `2024-05-01T08:00Z`."""
    return datetime.fromisoformat(text.strip())


def format_time(time: datetime) -> str:
    return time.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
