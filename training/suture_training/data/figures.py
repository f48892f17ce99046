"""What a dataset is like, counted while it is written: in constant memory, whatever its size."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, compress

import msgspec

from suture_training.data.rows import Episode, Preference, Row, said

MOST_NAMES = 200
"""Different values of one kind that are counted by name; what comes after is counted together."""
OTHERS = "others"
DAY = 86_400


class Lengths(msgspec.Struct, frozen=True, kw_only=True):
    """How long something is, over all rows."""

    least: int
    most: int
    mean: float
    bins: Mapping[int, int]
    """Smallest power of two that is not below the length -> rows."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset in figures."""

    rows: int
    characters: Lengths | None
    """Of all messages of a row together, as JSON; beyond ASCII, bytes."""
    messages: Lengths | None
    answer: Lengths | None
    """The same of the last answer."""
    tokens: Lengths | None
    """Prompt and completion tokens of all requests of an episode, as the server counted them; rows without are left out."""
    masked: int
    """Assistant messages that nothing is learnt from."""
    learnt: int
    """Assistant messages that are learnt from."""
    weight: float
    """Of all preferences together."""
    counts: Mapping[str, Mapping[str, int]]
    """Rows by source, outcome, decision, label, check, repository, policy, month, secrets, thinking; calls by tool."""


class Tally:
    """Counts why sources leave something out."""

    def __init__(self) -> None:
        self._left_out: Counter[str] = Counter()

    def leave(self, reason: str) -> None:
        """One more was left out."""
        self._left_out[reason] += 1

    def taken(self) -> Counter[str]:
        """What was counted since this was asked last."""
        taken, self._left_out = self._left_out, Counter()
        return taken


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """What is counted of some rows, in lists with an entry a row."""

    lengths: dict[str, list[int]]
    names: dict[str, list[str]]
    calls: list[list[str]]
    """Names of the tools that a row's answers call."""
    assistant: list[int]
    """Messages of the assistant."""
    masked: list[int]
    weight: list[float]

    def kept(self, chosen: Sequence[bool]) -> Measures:
        """Those of the chosen rows."""
        return Measures(
            lengths={name: list(compress(values, chosen)) for name, values in self.lengths.items()},
            names={name: list(compress(values, chosen)) for name, values in self.names.items()},
            calls=list(compress(self.calls, chosen)),
            assistant=list(compress(self.assistant, chosen)),
            masked=list(compress(self.masked, chosen)),
            weight=list(compress(self.weight, chosen)),
        )


def measures_of(rows: Sequence[Row], messages: Sequence[Sequence[bytes]]) -> Measures:
    """Measure some rows; `messages`: of each row, each as JSON, the answers last."""
    origins = [row.origin for row in rows]
    answers = [[message for message in said(row) if message.role == "assistant"] for row in rows]
    return Measures(
        lengths={
            "characters": [sum(map(len, each)) for each in messages],
            "messages": [len(each) for each in messages],
            "answer": [len(each[-1]) for each in messages],
            "tokens": [origin.prompt_tokens + origin.completion_tokens for origin in origins],
        },
        names={
            "source": [origin.source for origin in origins],
            "outcome": [origin.outcome for origin in origins],
            "decision": [origin.decision for origin in origins],
            "label": ["" if not isinstance(row, Preference) else "good" if row.label else "bad" for row in rows],
            "check": [origin.check for origin in origins],
            "repository": [origin.repository for origin in origins],
            "policy": [origin.policy_name or origin.policy[:12] for origin in origins],
            "day": [str(int(origin.time) // DAY) for origin in origins],
            "secrets": [row.secrets for row in rows],
            "thinking": ["on" if row.thinking else "off" for row in rows],
        },
        calls=[[call.name for answer in each if answer.tool_calls for call in answer.tool_calls] for each in answers],
        assistant=[len(each) for each in answers],
        masked=[len(row.masked) if isinstance(row, Episode) else 0 for row in rows],
        weight=[row.weight if isinstance(row, Preference) else 0.0 for row in rows],
    )


class Counting:
    """Adds measures up."""

    def __init__(self) -> None:
        self._rows = self._assistant = self._masked = 0
        self._weight = 0.0
        self._lengths: defaultdict[str, _Lengths] = defaultdict(_Lengths)
        self._names: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def add(self, measures: Measures) -> None:
        """Count some rows."""
        self._rows += len(measures.assistant)
        self._assistant += sum(measures.assistant)
        self._masked += sum(measures.masked)
        self._weight += sum(measures.weight)
        for name, lengths in measures.lengths.items():
            self._lengths[name].add(lengths)
        for name, values in measures.names.items():
            self._count(name, values)
        self._count("tool", list(chain.from_iterable(measures.calls)))

    def _count(self, name: str, values: Sequence[str]) -> None:
        counter = self._names[name]
        counter.update(values)
        counter.pop("", None)
        if len(counter) > 2 * MOST_NAMES and name != "day":
            kept = dict(counter.most_common(MOST_NAMES))
            self._names[name] = Counter({**kept, OTHERS: counter.total() - sum(kept.values()) + kept.get(OTHERS, 0)})

    @property
    def figures(self) -> Figures:
        """What was counted so far."""
        names = {name: dict(counter.most_common()) for name, counter in sorted(self._names.items()) if counter}
        if days := names.pop("day", None):
            names["month"] = _months(days)
        lengths = {name: self._lengths[name].lengths for name in ("characters", "messages", "answer", "tokens")}
        return Figures(
            rows=self._rows,
            masked=self._masked,
            learnt=self._assistant - self._masked,
            weight=round(self._weight, 3),
            counts=names,
            **lengths,
        )


class _Lengths:
    """Adds up one length."""

    def __init__(self) -> None:
        self._sum = self._most = 0
        self._least: int | None = None
        self._bins: Counter[int] = Counter()

    def add(self, lengths: Sequence[int]) -> None:
        known = [length for length in lengths if length]
        if known:
            self._sum += sum(known)
            self._most = max(self._most, *known)
            self._least = min(known) if self._least is None else min(self._least, *known)
            self._bins.update([(length - 1).bit_length() for length in known])

    @property
    def lengths(self) -> Lengths | None:
        if self._least is None:
            return None
        bins = {1 << bits: count for bits, count in sorted(self._bins.items())}
        return Lengths(least=self._least, most=self._most, mean=round(self._sum / self._bins.total(), 1), bins=bins)


def _months(days: Mapping[str, int]) -> dict[str, int]:
    """Days since 1970 as months, in order."""
    found: Counter[str] = Counter()
    for day, count in days.items():
        month = datetime.fromtimestamp(int(day) * DAY, tz=UTC).strftime("%Y-%m")
        found[month] += count
    return dict(sorted(found.items()))
