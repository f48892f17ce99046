from __future__ import annotations

from datetime import datetime, timedelta, timezone

from newsdesk.article import Article
from newsdesk.times import format_time


class Desk:
    def __init__(self, articles: list[Article]) -> None:
        self._articles = articles

    def public(self, at: datetime | None = None) -> list[str]:
        """Titles that may be read at a time (now, unless it is said), latest first."""
        at = at or datetime.now(timezone.utc)
        free = [article for article in self._articles if article.embargo is None or article.embargo <= at]
        return [article.title for article in sorted(free, key=lambda article: article.created, reverse=True)]

    def fresh(self, at: datetime, days: int = 1) -> list[str]:
        """Titles that were created in the days before a time."""
        since = at - timedelta(days=days)
        return [article.title for article in self._articles if since <= article.created <= at]

    def embargoes(self) -> list[str]:
        held = [article for article in self._articles if article.embargo is not None]
        return [f"{article.title}: {format_time(article.embargo)}" for article in held]
