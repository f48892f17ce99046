"""Payments, which take a while."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field


class Declined(Exception):
    pass


@dataclass
class Till:
    """Charges cards; `limits` are what the cards of some customers allow."""

    limits: dict[str, int] = field(default_factory=dict)
    receipts: list[tuple[str, int]] = field(default_factory=list)

    async def charge(self, customer: str, cents: int) -> int:
        """The number of the receipt; raises Declined if the card has too low a limit."""
        await asyncio.sleep(0.01)
        if cents > self.limits.get(customer, cents):
            raise Declined(customer)
        self.receipts.append((customer, cents))
        return len(self.receipts)
