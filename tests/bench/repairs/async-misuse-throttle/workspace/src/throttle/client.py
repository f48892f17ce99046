"""A client that is polite to the service behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

Send = Callable[[str], Awaitable[str]]


class ThrottledClient:
    """Sends requests, at most `limit` of them at a time, however many tasks use the client."""

    def __init__(self, send: Send, limit: int = 4, attempts: int = 1) -> None:
        if limit < 1:
            raise ValueError("limit must be positive")
        self._send = send
        self._limit = limit
        self._attempts = attempts
        self.sent = 0

    async def request(self, path: str) -> str:
        """One answer; a request that cannot be connected is sent again as often as is allowed."""
        for attempt in range(1, self._attempts + 1):
            try:
                return await self._send_once(path)
            except ConnectionError:
                if attempt == self._attempts:
                    raise
        raise ValueError("no attempts are allowed")

    async def request_all(self, paths: Iterable[str]) -> list[str]:
        """The answers in the order of the paths."""
        return list(await asyncio.gather(*(self.request(path) for path in paths)))

    async def _send_once(self, path: str) -> str:
        async with asyncio.Semaphore(self._limit):
            self.sent += 1
            return await self._send(path)
