from __future__ import annotations


class ValveError(Exception):
    """A valve that does not do what it is told."""


class Valve:
    def __init__(self, name: str, *, stuck: bool = False) -> None:
        self.name = name
        self.stuck = stuck
        self.is_open = False
        self.litres = 0

    def open(self) -> None:
        if self.stuck:
            raise ValveError(f"{self.name} does not open")
        self.is_open = True

    def close(self) -> None:
        if self.stuck:
            raise ValveError(f"{self.name} does not close")
        self.is_open = False

    def flow(self, minutes: int, rate: int) -> None:
        if self.is_open:
            self.litres += minutes * rate
