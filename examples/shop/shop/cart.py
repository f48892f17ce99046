"""A customer's cart: what is in it, and what it costs."""

from __future__ import annotations

from shop.catalogue import Catalogue
from shop.shipping import shipping_cost
from shop.stock import Stock


class Cart:
    """Quantities by article number; whatever lies in a cart is reserved in the stock."""

    def __init__(self, catalogue: Catalogue, stock: Stock) -> None:
        self._catalogue = catalogue
        self._stock = stock
        self.quantities: dict[str, int] = {}

    def add(self, sku: str, quantity: int = 1) -> None:
        """Put pieces of an article into the cart."""
        self._catalogue.find(sku)
        self._stock.reserve(sku, quantity)
        self.quantities[sku] = self.quantities.get(sku, 0) + quantity

    def remove(self, sku: str) -> None:
        """Take an article out of the cart altogether."""
        self._stock.release(sku, self.quantities.pop(sku))

    def subtotal(self) -> int:
        """Price of everything in the cart: each article's price times its quantity."""
        total = 0
        for sku, quantity in self.quantities.items():
            article = self._catalogue.find(sku)
            total += article.price
        return total

    def weight(self) -> int:
        """Grams of everything in the cart."""
        return sum(self._catalogue.find(sku).weight * quantity for sku, quantity in self.quantities.items())

    def total(self) -> int:
        """What the customer pays, shipping included."""
        return self.subtotal() + shipping_cost(self.subtotal(), self.weight())
