"""Map tiles, each of which is loaded once however many ask for it at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

Load = Callable[[tuple[int, int]], Awaitable[bytes]]


class TileStore:
    """Keeps what was loaded; a tile that could not be loaded is asked for again the next time."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._loading: dict[tuple[int, int], Awaitable[bytes]] = {}

    async def tile(self, x: int, y: int) -> bytes:
        """The tile's picture."""
        place = (x, y)
        if place not in self._loading:
            self._loading[place] = self._load(place)
        try:
            return await self._loading[place]
        except OSError:
            self._loading.pop(place, None)
            raise

    async def area(self, left: int, top: int, right: int, bottom: int) -> list[bytes]:
        """All tiles of a rectangle, row by row; right and bottom are not part of it."""
        return list(await asyncio.gather(*(self.tile(x, y) for y in range(top, bottom) for x in range(left, right))))

    @property
    def known(self) -> int:
        """How many tiles were asked for."""
        return len(self._loading)
