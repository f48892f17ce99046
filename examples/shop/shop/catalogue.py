"""What the shop sells."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Article:
    """One thing that can be bought."""

    sku: str
    name: str
    price: int
    weight: int = 0


class Catalogue:
    """Articles by their number."""

    def __init__(self, articles: list[Article]) -> None:
        self._articles = {article.sku: article for article in articles}

    def find(self, sku: str) -> Article:
        """The article with this number; raises KeyError."""
        return self._articles[sku]

    def search(self, text: str) -> list[Article]:
        """Articles whose name contains the text, by name."""
        wanted = text.lower()
        found = [article for article in self._articles.values() if wanted in article.name.lower()]
        return sorted(found, key=lambda article: article.name)
