"""Ranked ballots, read from the counting sheets."""

from collections import Counter
from typing import NamedTuple


class Ballot(NamedTuple):
    """A ranking, best first, and the number of voters who handed in exactly this one."""

    ranking: tuple[str, ...]
    voters: int = 1


def read_ballots(text):
    """Read lines such as `Ada > Bo > Cy` or, for a bundle, `12: Ada > Bo`. Equal rankings become one ballot."""
    bundles = Counter()
    for line in text.splitlines():
        if not line.strip():
            continue
        count, colon, ranking = line.rpartition(":")
        names = tuple(name.strip() for name in ranking.split(">") if name.strip())
        if len(set(names)) < len(names):
            raise ValueError(f"a candidate is ranked twice: {line.strip()}")
        bundles[names] += int(count) if colon else 1
    return [Ballot(ranking, voters) for ranking, voters in bundles.items()]
