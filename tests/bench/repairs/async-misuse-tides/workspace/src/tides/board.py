"""Tide tables that many readers ask for at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tides.table import Table

Loader = Callable[[str], Awaitable[Table]]


class TideBoard:
    """Loads the table of a harbour once, however many readers wait for it."""

    def __init__(self, load: Loader) -> None:
        self._load = load
        self._lookups: dict[str, asyncio.Task[Table]] = {}

    async def table(self, harbour: str, patience: float | None = None) -> Table | None:
        """The table of a harbour; None for a reader whose patience, in seconds, ends before it is there."""
        lookup = self._lookups.get(harbour)
        if lookup is None:
            lookup = asyncio.create_task(self._fetch(harbour))
            self._lookups[harbour] = lookup
        try:
            return await asyncio.wait_for(lookup, patience)
        except asyncio.TimeoutError:
            return None

    async def next_high(self, harbour: str, minute: int) -> int | None:
        """The minute of the next high water at or after a minute of the day."""
        table = await self.table(harbour)
        return None if table is None else table.next_high(minute)

    async def _fetch(self, harbour: str) -> Table:
        try:
            return await self._load(harbour)
        except BaseException:
            self._lookups.pop(harbour, None)
            raise
