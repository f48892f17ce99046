from __future__ import annotations

from collections import defaultdict

from warehouse.errors import NotEnough, StockError


class Stock:
    """How many pieces of which article lie at which site."""

    def __init__(self) -> None:
        self._levels: defaultdict[str, dict[str, int]] = defaultdict(dict)
        self.moves: list[tuple[str, str, str, int]] = []

    def level(self, site: str, sku: str) -> int:
        return self._levels[site].get(sku, 0)

    def total(self, sku: str) -> int:
        return sum(levels.get(sku, 0) for levels in self._levels.values())

    def receive(self, site: str, sku: str, pieces: int) -> None:
        self._check(pieces)
        self._levels[site][sku] = self.level(site, sku) + pieces

    def ship(self, site: str, sku: str, pieces: int) -> None:
        """Take pieces out of a site; raises NotEnough, and then nothing is taken."""
        self._check(pieces)
        available = self.level(site, sku)
        if pieces > available:
            raise NotEnough(site, sku, pieces, available)
        self._levels[site][sku] = available - pieces

    def transfer(self, source: str, target: str, sku: str, pieces: int) -> None:
        """Bring pieces from one site to another; raises NotEnough, and then nothing is moved."""
        self._check(pieces)
        if source == target:
            raise StockError(f"cannot move {sku} from {source} to itself")
        available = self.level(target, sku)
        if pieces > available:
            raise NotEnough(source, sku, pieces, available)
        self._levels[source][sku] = self.level(source, sku) - pieces
        self._levels[target][sku] = self.level(target, sku) + pieces
        self.moves.append((source, target, sku, pieces))

    @staticmethod
    def _check(pieces: int) -> None:
        if pieces < 1:
            raise StockError("at least one piece")
