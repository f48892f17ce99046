from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Job:
    name: str
    limit: float | None = None
    """Seconds; without it the queue's own limit counts."""
    tags: frozenset[str] = field(default_factory=frozenset)
