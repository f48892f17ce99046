"""Whether a new adapter beats what it would replace: equal held-out set, equal environment, equal harness, and more than chance.

Where both scores tell how every task went, they are compared in pairs: the exact one-sided sign test over the tasks whose pass rates
differ (Dixon and Mood, 1946). Else the two rates are compared as independent ones: Newcombe's hybrid score interval of a difference, 95 %
(Newcombe, 1998, method 10). Neither knows that tasks of one repository resemble each other, nor that training again would give another
adapter: `suture eval compare` does, and is for claims. This decides what is served.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from suture_agent.adapters import Adapter, Score

ALPHA = 0.05
_Z = 1.959964


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two scores side by side."""

    better: bool
    text: str
    """The figures, in a sentence."""


def score_of(adapter: Adapter, subject: str = "adapter") -> dict[str, Score]:
    """Held-out set -> the newest score of the adapter, or of its base, in the very environment and harness that it was trained for."""
    own = (adapter.environment.digest, adapter.harness.digest)
    matched = [each for each in adapter.scores if each.subject == subject and (each.environment, each.harness) == own]
    return {each.held_out: each for each in sorted(matched, key=lambda each: each.created)}


def against_base(new: Adapter) -> Comparison:
    """The adapter and its base model without any."""
    return _of_common(score_of(new), score_of(new, "base"), f"{new.base.name} without an adapter")


def against(new: Adapter, old: Adapter) -> Comparison:
    """The adapter and one that serves now. The old one's score counts where it was measured in the new one's environment and harness."""
    own = (new.environment.digest, new.harness.digest)
    there = [each for each in old.scores if each.subject == "adapter" and (each.environment, each.harness) == own]
    return _of_common(score_of(new), {each.held_out: each for each in sorted(there, key=lambda each: each.created)}, old.label)


def beats(new: Score, old: Score, rival: str) -> Comparison:
    """Two scores on one held-out set."""
    head = f"{_rate(new)} against {_rate(old)} of {rival} on held-out set {new.held_out[:12]}"
    if new.tasks and new.tasks.keys() == old.tasks.keys():
        wins, losses, p = sign_test([(_share(new.tasks[task]), _share(old.tasks[task])) for task in new.tasks])
        return Comparison(better=wins > losses and p <= ALPHA, text=f"{head}: {wins} tasks better, {losses} worse, p = {p:.3g} (sign test)")
    low, high = difference((new.passed, new.of), (old.passed, old.of))
    return Comparison(
        better=low > 0, text=f"{head}: difference {100 * (new.rate - old.rate):+.1f} points, 95 % {100 * low:+.1f} to {100 * high:+.1f}"
    )


def sign_test(pairs: Sequence[tuple[float, float]]) -> tuple[int, int, float]:
    """Pairs in which the first is higher, in which it is lower, and the one-sided exact p of that many being higher by chance."""
    wins, losses = sum(new > old for new, old in pairs), sum(new < old for new, old in pairs)
    decided = wins + losses
    return wins, losses, sum(math.comb(decided, count) for count in range(wins, decided + 1)) / 2**decided


def wilson(passed: int, of: int) -> tuple[float, float]:
    """95 % score interval of a rate (Wilson, 1927); the whole range where nothing was tried."""
    if of == 0:
        return 0.0, 1.0
    rate, square = passed / of, _Z * _Z
    middle = (rate + square / (2 * of)) / (1 + square / of)
    half = _Z * math.sqrt(rate * (1 - rate) / of + square / (4 * of * of)) / (1 + square / of)
    return max(0.0, middle - half), min(1.0, middle + half)


def difference(new: tuple[int, int], old: tuple[int, int]) -> tuple[float, float]:
    """95 % interval of the difference of two independent rates, each as passed and of."""
    (new_low, new_high), (old_low, old_high) = wilson(*new), wilson(*old)
    first, second = _share(new), _share(old)
    low = first - second - math.hypot(first - new_low, old_high - second)
    high = first - second + math.hypot(new_high - first, second - old_low)
    return low, high


def _of_common(new: dict[str, Score], old: dict[str, Score], rival: str) -> Comparison:
    """The comparison on the newest held-out set that both were measured on."""
    common = [held_out for held_out in new if held_out in old]
    if not common:
        lacks = "it" if not new else rival
        return Comparison(
            better=False, text=f"{lacks} has no score on a held-out set in the environment and harness that it was trained for"
        )
    return beats(new[common[-1]], old[common[-1]], rival)


def _rate(score: Score) -> str:
    return f"{score.passed} of {score.of} ({100 * score.rate:.1f} %, 95 % {100 * score.low:.1f} to {100 * score.high:.1f})"


def _share(count: tuple[int, int]) -> float:
    passed, of = count
    return passed / of if of else 0.0
