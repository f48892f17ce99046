"""The slots of a vending kiosk; the same item may lie in several of them."""

from __future__ import annotations

from dataclasses import dataclass, field


class KioskError(Exception):
    """Something that the customer is told on the display."""


class UnknownItem(KioskError):
    pass


class SoldOut(KioskError):
    pass


class NoChange(KioskError):
    pass


@dataclass
class Slot:
    item: str
    price: int
    left: int


@dataclass
class Shelf:
    slots: list[Slot] = field(default_factory=list)

    def add(self, item: str, price: int, count: int) -> None:
        self.slots.append(Slot(item, price, count))

    def find(self, item: str) -> Slot:
        """The first slot that still holds the item."""
        matching = [slot for slot in self.slots if slot.item == item]
        if not matching:
            raise UnknownItem(f"we do not sell {item}")
        try:
            return next(slot for slot in matching if slot.left > 0)
        except LookupError:
            raise SoldOut(f"{item} is sold out") from None

    def offers(self) -> list[str]:
        return sorted({slot.item for slot in self.slots if slot.left > 0})
