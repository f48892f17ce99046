"""From a journal to a dataset: what `suture journal export` does, as one function of plain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.journal.bulk import Choice, Reader, Used, named
from suture_training.data.build import Options, Summary, build, build_prepared
from suture_training.data.duplicates import Alike, Near
from suture_training.data.figures import Tally
from suture_training.data.identity import PARTS, Gate, Part
from suture_training.data.leakage import HeldOut
from suture_training.data.parallel import Read, Work, batches
from suture_training.data.rows import Kind, Source
from suture_training.data.shards import Format
from suture_training.data.sources import accepted, corrections, proven, rejected
from suture_training.errors import TrainingError

SOURCES: Mapping[Kind, Mapping[Source, Read]] = {
    "sft": {"proven": proven.episodes, "accepted": accepted.episodes, "corrections": corrections.episodes},
    "kto": {"accepted": accepted.preferences, "rejected": rejected.preferences},
    "dpo": {"corrections": corrections.pairs},
}
"""What each kind can be made of."""
DEFAULT: Mapping[Kind, tuple[Source, ...]] = {"sft": ("proven",), "kto": ("accepted", "rejected"), "dpo": ("corrections",)}


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a dataset is to hold. Identities may be told by their beginnings."""

    options: Options
    sources: tuple[Source, ...] = ()
    environment: str = ""
    harness: str = ""
    policies: tuple[str, ...] = ()
    """Names, or beginnings of identities; all where none is told. A teacher is chosen by this."""
    since: float = 0.0
    workspace: Path | None = None
    allowed: tuple[str, ...] = ()
    held_out: Path | None = None
    """Folder of a task set."""


def export(
    journal: Path,
    target: Path,
    wanted: Wanted,
    *,
    told: Callable[[int, int], None] = lambda _done, _all: None,
    processes: int | None = None,
) -> Summary:
    """Build the dataset. `told` hears of episodes that were looked at and of all there are; `processes`: see `batches`.

    Raises TrainingError and JournalError.
    """
    kind = wanted.options.kind
    reads = [_source(kind, source) for source in wanted.sources or DEFAULT[kind]]
    held_out = HeldOut.read(wanted.held_out) if wanted.held_out is not None else None
    with Reader(journal) as reader:
        choice = _choice(reader, wanted)
        gate = _gate(reader.used(choice), wanted.allowed)
        total = reader.count(choice) * len(reads)

        def tell(looked_at: int) -> None:
            told(min(total, looked_at), total)

        if kind == "kto":
            tally = Tally()
            rows = (row for read in reads for row in read(reader, choice, tally))
            return build(rows, target, wanted.options, gate, tally=tally, held_out=held_out, told=tell)
        work = Work(journal=journal, kind=kind, choice=choice, held_out=held_out)
        ready = batches(work, reader, reads, processes=processes)
        many = len(held_out.tasks) if held_out is not None else 0
        return build_prepared(ready, target, wanted.options, gate, held_out=many, told=tell)


def from_options(
    journal: Path,
    folder: Path,
    *,
    kind: Kind,
    fmt: Format,
    near: Near,
    alike: int,
    seed: int,
    told: Callable[[int, int], None],
    **chosen: Any,  # noqa: ANN401  # the other fields of `Wanted`
) -> dict[str, Any]:
    """The command line's way in: plain values, and a summary of plain values."""
    options = Options(kind=kind, format=fmt, alike=Alike(near=near, most=alike), seed=seed)
    summary: dict[str, Any] = msgspec.to_builtins(export(journal, folder, Wanted(options=options, **chosen), told=told))
    return summary


def _source(kind: Kind, source: Source) -> Read:
    known = SOURCES[kind]
    if source not in known:
        raise TrainingError(f"a dataset for {kind} cannot be made of {source}", remedy=f"choose among {', '.join(known)}")
    return known[source]


def _choice(reader: Reader, wanted: Wanted) -> Choice:
    """What is read, with every identity in full."""
    decided = wanted.options.kind != "sft" or (bool(wanted.sources) and "proven" not in wanted.sources)
    first = Choice(since=wanted.since, workspace=wanted.workspace, decided=decided, outcome="fixed")
    used = reader.used(first)
    return msgspec.structs.replace(
        first,
        environments=named(used, "environment", [wanted.environment]),
        harnesses=named(used, "harness", [wanted.harness]),
        policies=named(used, "policy", wanted.policies),
    )


def _gate(used: Sequence[Used], allowed: Sequence[str]) -> Gate:
    """A gate for the most frequent identities; refuses at once what would be refused after hours."""
    fields: dict[tuple[str, str], Any] = {(each.kind, each.identity): each.fields for each in used}
    own: dict[Part, str] = {}
    for part in PARTS:
        there = [each.identity for each in used if each.kind == part]
        if there:
            own[part] = there[0]
    gate = Gate(fields, allowed=allowed, own=own)
    for part in PARTS:
        for each in used:
            if each.kind == part:
                gate.compare(part, each.identity)
    return gate
