from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

Handler = Callable[[Any], None]


class Bus:
    """Delivers events to the handlers of their topic, in the order of subscription."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = defaultdict(list)

    def subscribe(self, topic: str, handler: Handler) -> None:
        self._handlers[topic].append(handler)

    def publish(self, topic: str, payload: Any) -> int:
        handlers = list(self._handlers[topic])
        for handler in handlers:
            handler(payload)
        return len(handlers)
