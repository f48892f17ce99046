"""Watering several beds of a garden at once."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType

from watering.valve import Valve


class Watering:
    """Holds valves open for a block; when it ends, no valve stays open that can be closed."""

    def __init__(self, valves: Iterable[Valve]) -> None:
        self.valves = list(valves)

    def __enter__(self) -> Watering:
        for valve in self.valves:
            valve.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for valve in reversed(self.valves):
            valve.close()

    def run(self, minutes: int, rate: int = 10) -> int:
        """Let water flow; gives the litres that all the beds got."""
        if minutes < 0:
            raise ValueError("minutes must not be negative")
        before = sum(valve.litres for valve in self.valves)
        for valve in self.valves:
            valve.flow(minutes, rate)
        return sum(valve.litres for valve in self.valves) - before


def water(valves: Iterable[Valve], minutes: int) -> int:
    with Watering(valves) as watering:
        return watering.run(minutes)
