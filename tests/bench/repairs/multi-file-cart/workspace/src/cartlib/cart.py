from __future__ import annotations

from cartlib.catalogue import Catalogue
from cartlib.prices import gross, tax


class Cart:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._quantities: dict[str, int] = {}

    def put(self, sku: str, quantity: int = 1) -> None:
        self._catalogue.find(sku)
        self._quantities[sku] = self._quantities.get(sku, 0) + quantity

    def total(self) -> int:
        """What the customer pays."""
        return sum(gross(self._catalogue.find(sku)) * number for sku, number in self._quantities.items())

    def tax_total(self) -> int:
        return sum(tax(self._catalogue.find(sku)) * number for sku, number in self._quantities.items())

    def pieces(self) -> int:
        return sum(self._quantities.values())
