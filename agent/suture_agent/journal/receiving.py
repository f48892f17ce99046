"""Taking in a bundle of another machine: checked, signed or knowingly not, secrets taken out by the present rules of this one.

What is taken in is there to be looked at and to train on. It is not recalled when something fails here, it restores no offer in an editor,
and it is no proof: a patch of it that is tried is proven like any other. Nothing that is there already is changed.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.errors import JournalError
from suture_agent.journal.blobs import Blob, pack, put
from suture_agent.journal.entries import EpisodeEntry, IdentityEntry, PatchEntry, ProblemEntry, RunEntry, VerdictEntry
from suture_agent.journal.shared import (
    FORMAT,
    LARGEST,
    MANIFEST,
    RECORDS,
    Kind,
    Manifest,
    SharedEpisode,
    SharedIdentity,
    SharedOffer,
    SharedPatch,
)
from suture_agent.journal.signing import signer
from suture_agent.journal.store import Journal, put_episode
from suture_agent.redact import redact_value

TOGETHER = 200
"""Episodes of one transaction."""


class Received(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a bundle."""

    episodes: int
    """Taken in."""
    known: int
    """There already."""
    redacted: int
    """Episodes in which this machine's rules found a secret that was still there."""
    signer: str
    """Empty for a bundle that is not signed."""


def receive(
    journal: Journal, folder: Path, *, signers: Path | None, told: Callable[[int, int], None] = lambda _done, _all: None
) -> Received:
    """Take in a bundle; `signers`: a file of those who may have signed it, None to take an unsigned one. Raises JournalError."""
    manifest = _manifest(folder)
    who = signer(folder / MANIFEST, signers) if signers is not None else ""
    with (folder / RECORDS).open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest.records:
            raise JournalError(f"{folder / RECORDS} is not what the manifest says", remedy="ask for the bundle again")
    taking = _Taking(journal)
    seen = 0
    for batch in _batches(_episodes(folder / RECORDS)):
        taking.take(batch)
        seen += len(batch)
        told(seen, manifest.episodes)
    return Received(episodes=taking.taken, known=taking.known, redacted=taking.redacted, signer=who)


def _manifest(folder: Path) -> Manifest:
    try:
        found = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise JournalError(
            f"{folder} is no bundle of a journal: {error}", remedy="suture journal export --kind records makes one"
        ) from error
    if found.format != FORMAT:
        raise JournalError(
            f"{folder} has the format {found.format}, and this suture knows {FORMAT}", remedy="use the same suture on both machines"
        )
    return found


def _episodes(path: Path) -> Iterator[SharedEpisode]:
    """The lines of a bundle. A line is bounded: what unpacks to more is no episode."""
    import zstandard

    decoder = msgspec.json.Decoder(SharedEpisode)
    number = 0
    try:
        with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file) as stream:
            lines = io.BufferedReader(stream, 1 << 20)
            while line := lines.readline(LARGEST):
                number += 1
                yield decoder.decode(line)
    except (OSError, zstandard.ZstdError, msgspec.DecodeError) as error:
        raise JournalError(f"{path}, line {number}: {error}", remedy="ask for the bundle again, or use the suture that wrote it") from error


def _batches(episodes: Iterator[SharedEpisode]) -> Iterator[list[SharedEpisode]]:
    while batch := list(islice(episodes, TOGETHER)):
        yield batch


class _Taking:
    """Writes episodes of a bundle, some of them a transaction."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._found = False
        self.taken = self.known = self.redacted = 0

    def take(self, batch: list[SharedEpisode]) -> None:
        """Write what is not there yet."""
        with self._journal.reading() as connection:
            marks = ", ".join("?" * len(batch))
            rows = connection.execute(f"SELECT id FROM episodes WHERE id IN ({marks})", [each.id for each in batch])  # noqa: S608  # question marks
            there = {identifier for (identifier,) in rows}
        new = [each for each in batch if each.id not in there]
        self.known += len(batch) - len(new)
        ready = [(each, *self._entries(each)) for each in new]
        with self._journal.writing() as connection:
            for each, run, entry, offers in ready:
                put_episode(connection, each.id, run, entry)
                for statement, row in offers:
                    packed = {name: put(connection, value) if isinstance(value, Blob) else value for name, value in row.items()}
                    connection.execute(statement, packed)
        self.taken += len(new)

    def _entries(self, each: SharedEpisode) -> tuple[RunEntry, EpisodeEntry, list[tuple[str, dict[str, Any]]]]:
        """An episode as rows; what unpacks, packs and looks for secrets is done here, before the transaction."""
        self._found = False
        run = RunEntry(
            id=each.run.id,
            workspace=each.problem.workspace,
            path=None,
            level=each.run.level,
            started=each.run.started,
            versions=each.run.versions,
        )
        entry = EpisodeEntry(
            problem=ProblemEntry(
                id=each.problem.id,
                workspace=each.problem.workspace,
                environment=self._identity("environment", each.environment),
                check=each.problem.check,
                snapshot=each.problem.snapshot,
                finding_count=each.problem.finding_count,
                findings=self._blob(each.problem.findings),
                created=each.problem.created,
            ),
            harness=self._identity("harness", each.harness),
            policy=self._identity("policy", each.policy),
            adapter=each.adapter,
            outcome=each.outcome,
            reason=str(self._clean(each.reason)),
            turns=self._blob(each.turns),
            course=self._blob(each.course),
            steps=each.steps,
            prompt_tokens=each.prompt_tokens,
            completion_tokens=each.completion_tokens,
            cached_tokens=each.cached_tokens,
            seconds=each.seconds,
            seconds_policy=each.seconds_policy,
            seconds_sandbox=each.seconds_sandbox,
            seed=each.seed,
            versions=each.versions,
            patch=self._patch(each.patch) if each.patch is not None else None,
            verdict=VerdictEntry(
                verdict=self._blob(each.verdict.verdict),
                passed=each.verdict.passed,
                infrastructure=each.verdict.infrastructure,
                reruns=each.verdict.reruns,
                seconds=each.verdict.seconds,
            )
            if each.verdict is not None
            else None,
            created=each.created,
        )
        offers = [row for offer in each.offers for row in self._offer(each.id, offer)]
        self.redacted += self._found
        return run, entry, offers

    def _identity(self, kind: Kind, each: SharedIdentity) -> IdentityEntry:
        return IdentityEntry(kind=kind, identity=each.identity, name=str(self._clean(each.name)), fields=self._blob(each.fields))

    def _patch(self, each: SharedPatch) -> PatchEntry:
        """A patch without the text by which it would be recalled here."""
        before, self._found = self._found, False
        edits, diff = self._blob(each.edits), self._blob(each.diff)
        redacted = each.redacted or self._found
        self._found = before or self._found
        return PatchEntry(edits=edits, diff=diff, files=each.files, added=each.added, removed=each.removed, redacted=redacted)

    def _offer(self, episode: str, each: SharedOffer) -> Iterator[tuple[str, dict[str, Any]]]:
        told = {"id": each.id, "episode": episode, "created": each.created, "environment": each.environment, "harness": each.harness}
        yield _insert("offers", {**told, "snapshot": each.snapshot, "shown": each.shown, "seen": each.seen})
        for decision in each.decisions:
            row = msgspec.structs.asdict(decision)
            row |= {"offer": each.id, "edits": self._blob(decision.edits), "reason": self._clean(decision.reason or "")}
            yield _insert("decisions", row)
        for survival in each.survivals:
            yield _insert("survivals", {"offer": each.id, **msgspec.structs.asdict(survival)})

    def _blob(self, raw: msgspec.Raw) -> Blob | None:
        value = msgspec.json.decode(raw)
        return None if value is None else pack(self._clean(value))

    def _clean(self, value: Any) -> Any:  # noqa: ANN401  # anything that JSON can be
        clean, found = redact_value(value)
        self._found = self._found or bool(found)
        return clean


def _insert(table: str, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    return f"INSERT INTO {table} ({names}) VALUES ({places}) ON CONFLICT DO NOTHING", row  # noqa: S608  # names from this module and its records
