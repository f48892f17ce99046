from __future__ import annotations

import asyncio
from collections.abc import Mapping

from cinema.show import Show


async def reserve_all(show: Show, wishes: Mapping[str, str]) -> dict[str, str]:
    """Reserve a seat for each customer at the same time; what came of it, in words."""
    results = await asyncio.gather(
        *(show.reserve(seat, customer) for customer, seat in wishes.items()), return_exceptions=True
    )
    return {
        customer: type(result).__name__ if isinstance(result, Exception) else "reserved"
        for customer, result in zip(wishes, results, strict=True)
    }
