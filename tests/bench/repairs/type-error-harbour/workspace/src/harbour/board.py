"""Who lies where, for the harbour master's board."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harbour.berths import berth_order, normalise, quay


@dataclass(frozen=True)
class Call:
    ship: str
    berth: str
    metres: int


def free_berths(berths: Iterable[str], calls: Iterable[Call]) -> list[str]:
    """The berths at which no ship lies, in the order of the quays."""
    taken = {normalise(call.berth) for call in calls}
    return sorted({normalise(berth) for berth in berths} - taken, key=berth_order)


def next_berth(berths: Iterable[str], calls: Iterable[Call]) -> str | None:
    """The first free berth, or None when the harbour is full."""
    return next(iter(free_berths(berths, calls)), None)


def arrivals_board(calls: Iterable[Call]) -> list[str]:
    """A line for each ship, by berth; ships at the same berth by name."""
    ordered = sorted(calls, key=lambda call: (berth_order(normalise(call.berth)), call.ship))
    return [f"{normalise(call.berth):<5}{call.ship} ({call.metres} m, {quay(normalise(call.berth))})" for call in ordered]
