from __future__ import annotations

from typing import Any

from events.bus import Bus


class Audit:
    """Writes down what was published on some topics."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Any]] = []

    def watch(self, bus: Bus, topics: list[str]) -> None:
        """Record each event of the topics as (topic, payload)."""
        for topic in topics:
            bus.subscribe(topic, lambda payload: self.lines.append((topic, payload)))

    def seen(self, topic: str) -> list[Any]:
        return [payload for name, payload in self.lines if name == topic]
