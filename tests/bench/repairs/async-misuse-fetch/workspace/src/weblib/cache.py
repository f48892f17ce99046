"""A small cache in front of a slow asynchronous source."""

from __future__ import annotations

from collections.abc import Awaitable, Callable


class CachedSource:
    def __init__(self, load: Callable[[str], Awaitable[str]], limit: int = 100) -> None:
        self._load = load
        self._limit = limit
        self._values: dict[str, str] = {}
        self.hits = 0

    async def get(self, key: str) -> str:
        """The value of a key; loaded only the first time."""
        if key in self._values:
            self.hits += 1
            return self._values[key]
        value = self._load(key)
        if len(self._values) >= self._limit:
            self._values.pop(next(iter(self._values)))
        self._values[key] = value
        return value

    async def get_many(self, keys: list[str]) -> dict[str, str]:
        return {key: await self.get(key) for key in keys}

    def forget(self, key: str) -> bool:
        return self._values.pop(key, None) is not None
