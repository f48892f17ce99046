from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from retrying.policy import Backoff

T = TypeVar("T")


class GaveUp(Exception):
    """All attempts failed."""


def call(action: Callable[[], T], backoff: Backoff, sleep: Callable[[float], None] = time.sleep) -> T:
    """Call the action until it succeeds; pauses between attempts follow the backoff."""
    delays = backoff.delays()
    while True:
        try:
            return action()
        except ConnectionError as error:
            delay = next(delays, None)
            if delay is None:
                raise GaveUp(str(error)) from error
            sleep(delay)
