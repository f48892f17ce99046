from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from newsdesk.times import parse_time


@dataclass
class Article:
    title: str
    embargo: datetime | None = None
    """Nobody outside may read it before this time."""
    created: datetime = field(default_factory=datetime.utcnow)

    @classmethod
    def from_record(cls, record: dict[str, str]) -> Article:
        """An article from the wire; a record without a creation time was created now."""
        article = cls(record["title"])
        if record.get("embargo"):
            article.embargo = parse_time(record["embargo"])
        if record.get("created"):
            article.created = parse_time(record["created"])
        return article
