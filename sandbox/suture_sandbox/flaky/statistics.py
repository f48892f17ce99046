"""What is counted of a test that flips, and what it is taken for. Pure: nothing here runs anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

Kind = Literal["order", "time", "randomness", "shared state", "load"]
"""What a test seems to depend on beside the text: a guess from the circumstances under which it failed, for people to start from."""

KINDS: tuple[Kind, ...] = ("order", "shared state", "time", "load", "randomness")
"""Most telling first: of two kinds that explain the failures equally well, the first is named."""

Count = tuple[int, int]
"""Runs, and how many of them failed."""

_TIME = re.compile(r"\b(?:datetime|date\.today|time\.time|time_ns|localtime|gmtime|strftime|now\(\))")
_RANDOM = re.compile(r"\b(?:random|secrets|uuid|urandom|shuffle)|(?<![.\w])(?:hash|set|id)\(")

_WAITS = re.compile(r"\b(?:perf_counter|monotonic|process_time|wait_for|timeout|wait\(|sleep\(|join\()")


class FlakyTest(msgspec.Struct, frozen=True, kw_only=True):
    """A test that both passed and failed on one text."""

    check: str
    test: str
    kind: Kind
    by: Mapping[str, Count]
    """Name of the circumstances -> runs and failures under them."""

    @property
    def runs(self) -> int:
        """Runs in all."""
        return sum(runs for runs, _ in self.by.values())

    @property
    def failures(self) -> int:
        """Failed runs in all."""
        return sum(failures for _, failures in self.by.values())


class Tally:
    """Counts outcomes of tests by circumstances."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, list[int]]] = {}

    def add(self, test: str, circumstances: str, *, good: bool) -> None:
        """One run of one test."""
        count = self._counts.setdefault(test, {}).setdefault(circumstances, [0, 0])
        count[0] += 1
        count[1] += not good

    def failed_under(self, circumstances: str) -> frozenset[str]:
        """Tests that failed under these circumstances at least once."""
        return frozenset(test for test, by in self._counts.items() if by.get(circumstances, [0, 0])[1])

    def flipping(self) -> frozenset[str]:
        """Tests that both passed and failed."""
        return frozenset(test for test, by in self._counts.items() if 0 < sum(c[1] for c in by.values()) < sum(c[0] for c in by.values()))

    def steady(self) -> frozenset[str]:
        """Tests that passed in every run."""
        return frozenset(test for test, by in self._counts.items() if not any(failures for _, failures in by.values()))

    def by(self, test: str) -> dict[str, Count]:
        """What was counted of a test."""
        return {name: (count[0], count[1]) for name, count in self._counts.get(test, {}).items()}


def guess(by: Mapping[str, Count], kinds: Mapping[str, Kind], source: str = "") -> Kind:
    """What a test depends on, from its counts, from what each circumstance stands for, and where those say nothing from its source.

    One that fails as it is, too, or under circumstances that have nothing in common, or not again under the same ones, needs none: that is
    chance, the time at which it ran, or what else the machine did. Else the kind counts that makes it fail most often.
    """
    plain = any(failures for name, (_, failures) in by.items() if name not in kinds)
    rates: dict[Kind, float] = {kind: _rate(count for name, count in by.items() if kinds.get(name) == kind) for kind in KINDS}
    failing: list[Kind] = [kind for kind in KINDS if rates[kind]]
    apart = len({"load" if kind == "shared state" else kind for kind in failing}) > 1  # copies at once are a load, too
    if plain or apart or not failing:
        return _by_source(source)
    best: Kind = min(failing, key=lambda kind: -rates[kind])
    return best if best == "load" or rates[best] == 1 else _by_source(source)


def _by_source(source: str) -> Kind:
    if _RANDOM.search(source):
        return "randomness"
    return "load" if _WAITS.search(source) else "time" if _TIME.search(source) else "randomness"


def _rate(counts: Iterable[Count]) -> float:
    """The failure rate under the worst circumstance of a kind."""
    return max((failures / runs for runs, failures in counts if runs), default=0.0)
