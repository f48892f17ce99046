"""The seats of one show."""

from __future__ import annotations

from cinema.till import Till

ROWS = "ABCDEF"
PER_ROW = 8
PREMIUM = {"E", "F"}


class SeatTaken(Exception):
    pass


def price(seat: str) -> int:
    """The price in cents; raises ValueError if there is no such seat."""
    row, number = seat[:1], seat[1:]
    if not row or row not in ROWS or not number.isdigit() or not 1 <= int(number) <= PER_ROW:
        raise ValueError(f"no such seat: {seat}")
    return 1450 if row in PREMIUM else 1100


class Show:
    def __init__(self, title: str, till: Till) -> None:
        self.title = title
        self.till = till
        self.seats: dict[str, str] = {}

    async def reserve(self, seat: str, customer: str) -> int:
        """Sell a seat and return the number of the receipt.

        Raises SeatTaken, and charges nothing, if somebody else has the seat. It stays free if the card is declined.
        """
        cents = price(seat)
        if seat in self.seats:
            raise SeatTaken(seat)
        receipt = await self.till.charge(customer, cents)
        self.seats[seat] = customer
        return receipt

    def free(self, row: str) -> list[str]:
        seats = [f"{row}{number}" for number in range(1, PER_ROW + 1)]
        return [seat for seat in seats if seat not in self.seats]
