"""What a training run measures, step by step: a ledger with a line for each value.

A trainer writes `MetricsLog(path).add(step, loss=0.3, reward=0.5)` and, when it resumes from a checkpoint, `rewind(step)`: what was logged
after that checkpoint no longer counts, and nothing is removed from the file. `read` gives what counts.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import msgspec

from suture_training.ledger import Ledger, read_lines

FILE = "metrics.jsonl"
"""Where a run's folder has it."""
REWIND = "rewind"
"""Name of the lines that take back what was logged after their step."""


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One value."""

    step: int
    name: str
    value: float | None
    """None for what is not a number, or is infinite."""
    at: float
    """Seconds since 1970."""


class MetricsLog:
    """Writes the metrics of one run."""

    def __init__(self, path: Path) -> None:
        self._ledger = Ledger(path)

    def add(self, step: int, **values: float) -> None:
        """Log values of one step, durable on return. Names may have a slash: `add(3, **{"tools/read_file": 4})`."""
        if REWIND in values:
            raise ValueError(f"no metric can be named {REWIND!r}")
        now = time.time()
        self._ledger.add(*(Point(step=step, name=name, value=_finite(value), at=now) for name, value in values.items()))

    def rewind(self, step: int) -> None:
        """The run goes on from a checkpoint after `step`: whatever was logged for later steps is void."""
        self._ledger.add(Point(step=step, name=REWIND, value=None, at=time.time()))

    def close(self) -> None:
        """Let go of the file; idempotent."""
        self._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read(path: Path) -> Mapping[str, Mapping[int, float]]:
    """Name -> step -> value, steps in order; of a value that was logged twice the later one counts. NaN for what was no number."""
    found: dict[str, dict[int, float]] = {}
    for point in read_lines(path, Point):
        if point.name == REWIND:
            found = {name: {step: value for step, value in values.items() if step <= point.step} for name, values in found.items()}
        else:
            found.setdefault(point.name, {})[point.step] = math.nan if point.value is None else point.value
    return {name: dict(sorted(values.items())) for name, values in found.items() if values}


def _finite(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
