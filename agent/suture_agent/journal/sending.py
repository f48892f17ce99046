"""Writing a bundle: chosen episodes with all that belongs to them, one after the other, in constant memory."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from suture_agent.errors import JournalError
from suture_agent.journal.blobs import Unpacker
from suture_agent.journal.bulk import Choice, Reader
from suture_agent.journal.files import explained
from suture_agent.journal.shared import (
    FORMAT,
    MANIFEST,
    NOTHING,
    RECORDS,
    Kind,
    Manifest,
    SharedDecision,
    SharedEpisode,
    SharedIdentity,
    SharedOffer,
    SharedPatch,
    SharedProblem,
    SharedRun,
    SharedSurvival,
    SharedVerdict,
    pseudonym,
)
from suture_agent.journal.signing import sign
from suture_sandbox.drafts import drafted, taken


def send(
    journal: Path, target: Path, choice: Choice, *, key: Path | None = None, told: Callable[[int, int], None] = lambda _done, _all: None
) -> Manifest:
    """Write a bundle into the new folder `target`, signed where an SSH key is given. Raises JournalError."""
    if taken(target):
        raise JournalError(f"{target} exists already", remedy="give the name of a new folder")
    with drafted(target) as draft:
        with Reader(journal) as reader, (draft / RECORDS).open("xb") as file:
            digest, episodes = _write(reader, choice, file, told)
        manifest = Manifest(format=FORMAT, episodes=episodes, records=digest, created=round(time.time(), 3), suture=_version())
        (draft / MANIFEST).write_bytes(msgspec.json.encode(manifest))
        if key is not None:
            sign(draft / MANIFEST, key)
    return manifest


def _write(reader: Reader, choice: Choice, file: BinaryIO, told: Callable[[int, int], None]) -> tuple[str, int]:
    """Write the lines; their file's SHA-256, and how many they are."""
    import zstandard

    total, written = reader.count(choice), 0
    encoder = msgspec.json.Encoder()
    with zstandard.ZstdCompressor(level=6).stream_writer(file, closefd=False) as stream:
        for each in _Shared(reader).episodes(choice):
            stream.write(encoder.encode(each) + b"\n")
            written += 1
            if written % 256 == 0:
                told(written, total)
    file.flush()
    os.fsync(file.fileno())
    told(written, total)
    with Path(file.name).open("rb") as whole:
        return hashlib.file_digest(whole, "sha256").hexdigest(), written


class _Shared:
    """Reads episodes with everything that belongs to them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._raw = Unpacker(msgspec.Raw)
        self._told: set[tuple[Kind, str]] = set()

    def episodes(self, choice: Choice) -> Iterator[SharedEpisode]:
        """The chosen ones, oldest first."""
        for page in self._reader.identifiers(choice):
            with explained(self._reader.path), self._reader.transaction() as connection:
                found = [self._episode(connection, identifier) for identifier in page]
            yield from found

    def _episode(self, connection: sqlite3.Connection, identifier: str) -> SharedEpisode:
        row = _one(
            connection,
            "SELECT e.*, r.level, r.started, r.versions AS run_versions, p.id AS problem_id, p.workspace, p.check_name, p.snapshot,"
            " p.finding_count, p.findings, p.created AS problem_created FROM episodes e JOIN runs r ON r.id = e.run"
            " JOIN problems p ON p.key = e.problem WHERE e.id = ?",
            identifier,
        )
        assert row is not None
        same = ("adapter", "outcome", "reason", "steps", "prompt_tokens", "completion_tokens", "cached_tokens", "seconds")
        more = ("seconds_policy", "seconds_sandbox", "seed", "versions", "created")
        return SharedEpisode(
            id=identifier,
            run=SharedRun(id=row["run"], level=row["level"], started=row["started"], versions=row["run_versions"]),
            problem=SharedProblem(
                id=row["problem_id"],
                workspace=pseudonym(row["workspace"]),
                check=row["check_name"],
                snapshot=row["snapshot"],
                finding_count=row["finding_count"],
                findings=self._blob(connection, row["findings"]),
                created=row["problem_created"],
            ),
            environment=self._identity(connection, "environment", row["environment"]),
            harness=self._identity(connection, "harness", row["harness"]),
            policy=self._identity(connection, "policy", row["policy"]),
            turns=self._blob(connection, row["turns"]),
            course=self._blob(connection, row["course"]),
            patch=self._patch(connection, identifier),
            verdict=self._verdict(connection, identifier),
            offers=tuple(self._offers(connection, identifier)),
            **{name: row[name] for name in (*same, *more)},
        )

    def _identity(self, connection: sqlite3.Connection, kind: Kind, identity: str) -> SharedIdentity:
        if (kind, identity) in self._told:
            return SharedIdentity(identity=identity)
        self._told.add((kind, identity))
        row = _one(connection, "SELECT name, fields FROM identities WHERE kind = ? AND identity = ?", kind, identity)
        if row is None:
            return SharedIdentity(identity=identity)
        return SharedIdentity(identity=identity, name=row["name"], fields=self._blob(connection, row["fields"]))

    def _patch(self, connection: sqlite3.Connection, episode: str) -> SharedPatch | None:
        row = _one(connection, "SELECT edits, diff, files, added, removed, redacted FROM patches WHERE episode = ?", episode)
        if row is None:
            return None
        row["redacted"] = bool(row["redacted"])
        return SharedPatch(edits=self._blob(connection, row.pop("edits")), diff=self._blob(connection, row.pop("diff")), **row)

    def _verdict(self, connection: sqlite3.Connection, episode: str) -> SharedVerdict | None:
        row = _one(connection, "SELECT verdict, passed, infrastructure, reruns, seconds FROM verdicts WHERE episode = ?", episode)
        if row is None:
            return None
        told = {name: bool(row.pop(name)) for name in ("passed", "infrastructure")}
        return SharedVerdict(verdict=self._blob(connection, row.pop("verdict")), **told, **row)

    def _offers(self, connection: sqlite3.Connection, episode: str) -> Iterator[SharedOffer]:
        for offer in _all(connection, "SELECT * FROM offers WHERE episode = ? ORDER BY id", episode):
            del offer["episode"]
            decisions: list[SharedDecision] = []
            for each in _all(connection, "SELECT * FROM decisions WHERE offer = ? ORDER BY id", offer["id"]):
                del each["offer"]
                each["redacted"] = bool(each["redacted"])
                decisions.append(SharedDecision(edits=self._blob(connection, each.pop("edits")), **each))
            left = _all(connection, "SELECT moment, tokens, kept, created FROM survivals WHERE offer = ? ORDER BY created", offer["id"])
            yield SharedOffer(decisions=tuple(decisions), survivals=tuple(SharedSurvival(**each) for each in left), **offer)

    def _blob(self, connection: sqlite3.Connection, name: str | None) -> msgspec.Raw:
        if name is None:
            return NOTHING
        row = _one(connection, "SELECT data, size FROM blobs WHERE hash = ?", name) or {"data": b"", "size": 0}
        return self._raw.unpack(name, row["data"], row["size"])


def _one(connection: sqlite3.Connection, query: str, *values: object) -> dict[str, Any] | None:
    return next(_all(connection, query, *values), None)


def _all(connection: sqlite3.Connection, query: str, *values: object) -> Iterator[dict[str, Any]]:
    cursor = connection.execute(query, values)
    names = [str(column[0]) for column in cursor.description]
    return iter([dict(zip(names, row, strict=True)) for row in cursor])


def _version() -> str:
    from importlib.metadata import version

    return version("suture")
