"""Prices in cents; all rounding is done here."""

from __future__ import annotations

from cartlib.catalogue import Article


def tax(article: Article) -> int:
    """Tax on one piece, rounded half up."""
    return (article.net_cents * article.tax_percent + 50) // 100


def gross(article: Article) -> int:
    """Price of one piece, tax included."""
    return article.net_cents - tax(article)
