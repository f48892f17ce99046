from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Article:
    sku: str
    net_cents: int
    tax_percent: int = 19


class Catalogue:
    def __init__(self, articles: list[Article]) -> None:
        self._articles = {article.sku: article for article in articles}

    def find(self, sku: str) -> Article:
        try:
            return self._articles[sku]
        except KeyError:
            raise LookupError(f"no article {sku}") from None
