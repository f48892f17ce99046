"""A bound on the wall time of some work, told apart from any other time-out."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


async def within(seconds: int | msgspec.UnsetType, work: Coroutine[Any, Any, T]) -> T | None:
    """The work's result; None when its time is up: it is cancelled, with the attempts and requests under way. Other time-outs pass."""
    limit = asyncio.timeout(None if seconds is msgspec.UNSET else seconds)
    try:
        async with limit:
            return await work
    except TimeoutError:
        if not limit.expired():
            raise
        return None
