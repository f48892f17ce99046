"""A stall at the charity bazaar, and its cash box."""

from __future__ import annotations

from bazaar.cents import to_cents, to_text


class Stall:
    def __init__(self, name: str, opening: str = "0") -> None:
        self.name = name
        self._start = to_cents(opening)
        """The coins that were in the box in the morning."""
        self._sales: list[tuple[str, int]] = []

    def sell(self, item: str, price: str, count: int = 1) -> int:
        """Note a sale, and give its total in cents."""
        total = to_cents(price) * count
        self._sales.append((item, total))
        return total

    def takings(self) -> int:
        return sum(cents for _, cents in self._sales)

    def difference(self, counted: str) -> int:
        """How many cents the box holds too much, or too little if negative."""
        return to_cents(counted) - self._start - self.takings()

    def closing(self, counted: str) -> str:
        difference = self.difference(counted)
        verdict = "exact" if difference == 0 else f"off by {to_text(difference)}"
        return f"{self.name}: {to_text(self.takings())}, {verdict}"
