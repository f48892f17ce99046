"""The office that sells places on the car deck; customers are served at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from ferry.sailing import DeckFull, Sailing

Charge = Callable[[str, int], Awaitable[str]]
"""Takes a customer's money (in cents) and gives the number of the receipt."""


@dataclass(frozen=True)
class Ticket:
    customer: str
    sailing: str
    length: int
    receipt: str


class BookingOffice:
    def __init__(self, charge: Charge, cents_per_metre: int = 450) -> None:
        self._charge = charge
        self._cents_per_metre = cents_per_metre
        self.tickets: list[Ticket] = []

    async def book(self, sailing: Sailing, customer: str, length: int) -> Ticket:
        """Sell a place; DeckFull when there is no room, and whatever the payment raises. Only sold places are taken."""
        sailing.check(length)
        receipt = await self._charge(customer, length * self._cents_per_metre)
        sailing.taken += length
        ticket = Ticket(customer, sailing.code, length, receipt)
        self.tickets.append(ticket)
        return ticket

    def cancel(self, sailing: Sailing, ticket: Ticket) -> None:
        """Give a place back."""
        self.tickets.remove(ticket)
        sailing.taken -= ticket.length

    async def book_all(self, sailing: Sailing, wishes: Iterable[tuple[str, int]]) -> list[Ticket | None]:
        """Serve several customers at once; None stands for those who found the deck full."""

        async def attempt(customer: str, length: int) -> Ticket | None:
            try:
                return await self.book(sailing, customer, length)
            except DeckFull:
                return None

        return await asyncio.gather(*(attempt(customer, length) for customer, length in wishes))
