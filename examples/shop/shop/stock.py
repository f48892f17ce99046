"""How many pieces are there, and how many of them are promised to somebody."""

from __future__ import annotations


class OutOfStock(Exception):
    """Fewer pieces are left than were asked for."""


class Stock:
    """Pieces on the shelf and reservations, by article number."""

    def __init__(self) -> None:
        self._on_shelf: dict[str, int] = {}
        self._reserved: dict[str, int] = {}

    def receive(self, sku: str, quantity: int) -> None:
        """Put a delivery on the shelf."""
        if quantity < 1:
            raise ValueError("a delivery has at least one piece")
        self._on_shelf[sku] = self._on_shelf.get(sku, 0) + quantity

    def available(self, sku: str) -> int:
        """Pieces that are neither sold nor reserved."""
        return self._on_shelf.get(sku, 0) - self._reserved.get(sku, 0)

    def reserve(self, sku: str, quantity: int = 1) -> None:
        """Set pieces aside for a customer; raises OutOfStock when fewer are available."""
        if quantity > self.available(sku):
            raise OutOfStock(f"{self.available(sku)} of {sku} left, {quantity} wanted")
        self._reserved[sku] = self._reserved.get(sku, 0) + quantity

    def release(self, sku: str, quantity: int = 1) -> None:
        """Give reserved pieces back."""
        self._reserved[sku] = max(0, self._reserved.get(sku, 0) - quantity)
