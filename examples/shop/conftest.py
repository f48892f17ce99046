import pytest

from shop import Article, Cart, Catalogue, Stock


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue(
        [
            Article("tea", "Green tea", price=450, weight=100),
            Article("pot", "Tea pot", price=2900, weight=900),
            Article("sack", "Sack of rice", price=3100, weight=12_000),
        ]
    )


@pytest.fixture
def stock() -> Stock:
    stock = Stock()
    stock.receive("tea", 20)
    stock.receive("pot", 2)
    stock.receive("sack", 1)
    return stock


@pytest.fixture
def cart(catalogue: Catalogue, stock: Stock) -> Cart:
    return Cart(catalogue, stock)
