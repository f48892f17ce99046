"""Selling: coins in, item and change out. Amounts are in cents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from kiosk.shelf import KioskError, NoChange, Shelf


class Kiosk:
    def __init__(self, shelf: Shelf, coins: dict[int, int]) -> None:
        self.shelf = shelf
        self.coins = dict(coins)

    def take_change(self, amount: int) -> list[int]:
        """Coins from the till that make up the amount, greatest first; none leave it when they do not suffice."""
        till = dict(self.coins)
        change: list[int] = []
        while amount > 0:
            try:
                coin = next(value for value in sorted(till, reverse=True) if till[value] and value <= amount)
            except LookupError:
                raise NoChange(f"{amount} cents are lacking in the till") from None
            till[coin] -= 1
            amount -= coin
            change.append(coin)
        self.coins = till
        return change

    def buy(self, item: str, paid: int) -> list[int]:
        """Hands out one of the item and returns the change; raises KioskError, with nothing sold, when that cannot be done."""
        slot = self.shelf.find(item)
        if paid < slot.price:
            raise KioskError(f"{item} costs {slot.price} cents")
        change = self.take_change(paid - slot.price)
        slot.left -= 1
        return change

    def serve(self, orders: Iterable[tuple[str, int]]) -> Iterator[str]:
        """The line on the display for every order in turn."""
        for item, paid in orders:
            try:
                change = self.buy(item, paid)
            except KioskError as error:
                yield f"sorry: {error}"
            else:
                yield f"{item}, change {sum(change)}"
