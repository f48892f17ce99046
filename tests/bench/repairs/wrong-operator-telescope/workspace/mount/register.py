"""The status register of a telescope mount: eight bits, each with a name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

NAMES = ("power", "tracking", "slewing", "parked", "heater", "brake", "guiding", "alarm")
WIDTH = len(NAMES)
FULL = (1 << WIDTH) - 1


def mask(*names: str) -> int:
    """The bits of some names; raises KeyError for a name that no bit has."""
    bits = 0
    for name in names:
        if name not in NAMES:
            raise KeyError(name)
        bits |= 1 << NAMES.index(name)
    return bits


class Register:
    """A register that remembers which values it had."""

    def __init__(self, value: int = 0) -> None:
        if value & ~FULL:
            raise ValueError(f"{value:#x} has more than {WIDTH} bits")
        self.value = value
        self.log: list[int] = []

    def on(self, *names: str) -> None:
        self._write(self.value | mask(*names))

    def off(self, *names: str) -> None:
        self._write(self.value ^ mask(*names))

    def toggle(self, *names: str) -> None:
        self._write(self.value ^ mask(*names))

    def has(self, *names: str) -> bool:
        """Whether all of these bits are on."""
        bits = mask(*names)
        return self.value & bits == bits

    def any_of(self, names: Iterable[str]) -> bool:
        return bool(self.value & mask(*names))

    def __iter__(self) -> Iterator[str]:
        return (name for name in NAMES if self.has(name))

    def _write(self, value: int) -> None:
        if value != self.value:
            self.log.append(self.value)
            self.value = value
