"""Building a dataset: rows from any source, one after the other, into a folder of shards with a card, in constant memory.

A row passes these gates in turn, and is counted under the reason where one does not open: held-out tasks, secrets, repetitions, identity.
The folder appears under its name when all of it is there; what an interrupted build leaves is a folder `.NAME.PID.part` beside it.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from suture_sandbox.drafts import drafted, taken
from suture_training.data.apart import apart
from suture_training.data.card import write_card
from suture_training.data.duplicates import Alike, Seen
from suture_training.data.figures import Counting, Figures, Tally
from suture_training.data.identity import DatasetIdentity, Gate
from suture_training.data.leakage import HeldOut
from suture_training.data.prepare import Prepared, Preparer
from suture_training.data.rows import Kind, Preference, Row
from suture_training.data.shards import Format, Shard, Shards
from suture_training.errors import TrainingError

Told = Callable[[int], None]
"""Hears how many rows, and episodes that gave none, were looked at."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How a dataset is built."""

    kind: Kind
    format: Format = "parquet"
    alike: Alike = Alike()
    seed: int = 0
    """Of the order in which preferences are shuffled; other rows stay in their order."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset that was built: `summary.json` in its folder."""

    kind: Kind
    digest: str
    """SHA-256 over the identity and, in order, over what each row says; the same rows in other files have the same digest."""
    identity: DatasetIdentity
    figures: Figures
    left_out: Mapping[str, int]
    """Reason -> rows or episodes."""
    shards: tuple[Shard, ...]
    alike: Alike
    held_out: int
    """Tasks that rows were held against."""
    seed: int
    created: float
    seconds: float
    suture: str


def build(
    rows: Iterable[Row],
    target: Path,
    options: Options,
    gate: Gate,
    *,
    tally: Tally | None = None,
    held_out: HeldOut | None = None,
    told: Told = lambda _looked_at: None,
) -> Summary:
    """Build a dataset in the new folder `target`. Raises MixedIdentities, and TrainingError for a folder that is not empty or no rows."""
    with _new(target) as draft:
        if options.kind == "kto":
            rows = apart((row for row in rows if isinstance(row, Preference)), draft, seed=options.seed)
        batches = Preparer(options.kind, held_out).batches(rows, tally or Tally())
        return write(batches, draft, options, gate, held_out=len(held_out.tasks) if held_out else 0, told=told)


def build_prepared(
    batches: Iterable[Prepared], target: Path, options: Options, gate: Gate, *, held_out: int = 0, told: Told = lambda _looked_at: None
) -> Summary:
    """The same for batches that are ready already."""
    with _new(target) as draft:
        return write(batches, draft, options, gate, held_out=held_out, told=told)


def _new(target: Path) -> AbstractContextManager[Path]:
    """The draft of a new folder."""
    if taken(target):
        raise TrainingError(f"{target} exists already", remedy="give the name of a new folder: a dataset is never written into another one")
    return drafted(target)


class _Writing:
    """What has been written of a dataset so far."""

    def __init__(self, folder: Path, options: Options, gate: Gate) -> None:
        self._gate = gate
        self._scratch = folder / "seen.sqlite3"
        self._seen = Seen(self._scratch, options.alike)
        self.left_out: Counter[str] = Counter()
        self.counting = Counting()
        self.digest = hashlib.sha256()
        self.shards = Shards(folder, options.kind, options.format)
        self.looked_at = 0

    def take(self, batch: Prepared) -> None:
        """Write what is new of a batch. Raises MixedIdentities."""
        self.left_out.update(batch.left_out)
        again = self._seen.again(batch.keys)
        self.left_out.update(each for each in again if each)
        kept = batch if not any(again) else batch.kept([not each for each in again])
        for environment, harness in zip(kept.cells["environment"], kept.cells["harness"], strict=True):
            self._gate.admit(environment, harness)
        self.digest.update(b"".join([keys.exact for keys in kept.keys]))
        self.counting.add(kept.measures)
        self.shards.write(kept.cells, kept.rows, sum(kept.measures.lengths["characters"]))
        self.looked_at += batch.rows + sum(batch.left_out.values())

    def close(self) -> None:
        """Remove what only the writing needed."""
        self._seen.close()
        self._scratch.unlink(missing_ok=True)


def write(batches: Iterable[Prepared], folder: Path, options: Options, gate: Gate, *, held_out: int, told: Told) -> Summary:
    """Write batches into a folder, without repetitions and under one identity, with the card."""
    began = time.monotonic()
    written = _Writing(folder, options, gate)
    try:
        for batch in batches:
            written.take(batch)
            told(written.looked_at)
    finally:
        written.close()
    shards, left_out, digest = written.shards, written.left_out, written.digest
    shards.close()
    if not shards.done:
        why = ", ".join(f"{count} {reason}" for reason, count in left_out.most_common()) or "there is nothing to make it of"
        raise TrainingError(f"the dataset would have no row: {why}", remedy="suture journal stats shows what there is")
    identity = gate.identity
    digest.update(f"{options.kind}{identity.environment}{identity.harness}".encode())
    summary = Summary(
        kind=options.kind,
        digest=digest.hexdigest(),
        identity=identity,
        figures=written.counting.figures,
        left_out=dict(left_out.most_common()),
        shards=tuple(shards.done),
        alike=options.alike,
        held_out=held_out,
        seed=options.seed,
        created=round(time.time(), 3),
        seconds=round(time.monotonic() - began, 3),
        suture=_version(),
    )
    write_card(folder, summary)
    return summary


def _version() -> str:
    from importlib.metadata import version

    return version("suture")
