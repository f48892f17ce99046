"""The journal: one SQLite connection behind one lock, with everything that is written to it.

The core is synchronous and safe to use from many threads. `call` runs it for a coroutine on the journal's one thread, so that the event
loop never waits for the disk and records keep their order. Reading is in `queries`, erasing in `erase`.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

from suture_agent.errors import JournalError
from suture_agent.journal.blobs import put
from suture_agent.journal.entries import EpisodeEntry, IdentityEntry, Level, PatchEntry, ProblemEntry, RunEntry, VerdictEntry, reason_text
from suture_agent.journal.files import connect, explained
from suture_agent.journal.identifiers import Identifiers
from suture_agent.journal.kinds import DecisionKind, Moment, Shown, Source
from suture_agent.journal.past_fixes import index_fix

P = ParamSpec("P")
T = TypeVar("T")


class Journal:
    """An open journal."""

    def __init__(self, path: Path, level: Level, connection: sqlite3.Connection) -> None:
        self.path = path
        self.level: Level = level
        self._connection = connection
        self._lock = threading.RLock()
        self._identifiers = Identifiers()
        self._worker: ThreadPoolExecutor | None = None
        self._closed = False

    @classmethod
    def open(cls, path: Path, level: Level = "full") -> Journal:
        """Open the journal, making it where there is none. Raises JournalError with what to do."""
        return cls(path, level, connect(path))

    def close(self) -> None:
        """Finish what was asked for, then close; idempotent."""
        with self._lock:
            self._closed = True
            worker, self._worker = self._worker, None
        if worker is not None:
            worker.shutdown(wait=True)
        with self._lock:
            self._connection.close()

    async def call(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a method of the journal, or anything else that must keep its place in the order, on the journal's one thread."""
        with self._lock:
            if self._closed:
                raise JournalError(f"{self.path} is closed")
            self._worker = self._worker or ThreadPoolExecutor(1, thread_name_prefix="suture-journal")
            future = self._worker.submit(work, *args, **kwargs)
        return await asyncio.wrap_future(future)

    def identifier(self) -> str:
        """A new identifier of a record."""
        return self._identifiers.new()

    @contextmanager
    def reading(self) -> Generator[sqlite3.Connection, None, None]:
        """The connection in one consistent state, for queries."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[sqlite3.Connection, None, None]:
        """The connection in a transaction that is durable once this returns."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def alone(self) -> Generator[sqlite3.Connection, None, None]:
        """The connection outside any transaction, for what SQLite does not do inside one."""
        with self._lock, explained(self.path):
            yield self._connection

    @contextmanager
    def _transaction(self, begin: str) -> Generator[sqlite3.Connection, None, None]:
        with self._lock, explained(self.path):
            self._connection.execute(begin)
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def write_run(self, run: RunEntry) -> None:
        """A run has started."""
        with self.writing() as connection:
            put_run(connection, run)

    def end_run(self, run: RunEntry) -> None:
        """A run is over."""
        with self.writing() as connection:
            connection.execute("UPDATE runs SET ended = ? WHERE id = ?", (time.time(), run.id))

    def write_problem(self, run: RunEntry, problem: ProblemEntry) -> None:
        """A problem is worked on."""
        with self.writing() as connection:
            put_run(connection, run)
            _put_problem(connection, problem)

    def write_episode(self, run: RunEntry, episode: EpisodeEntry) -> str:
        """A problem is finished: all of it in one transaction. Returns the episode's identifier."""
        identifier = self.identifier()
        with self.writing() as connection:
            put_episode(connection, identifier, run, episode)
        return identifier

    def write_offer(self, episode: str, shown: Shown) -> str:
        """A proven patch is about to be shown to a person; an episode without a passed verdict cannot be offered."""
        identifier = self.identifier()
        with self.writing() as connection:
            made = connection.execute(
                "INSERT INTO offers (id, episode, created, environment, harness, snapshot, shown)"
                " SELECT ?, e.id, ?, e.environment, e.harness, p.snapshot, ? FROM episodes e JOIN problems p ON p.key = e.problem"
                " JOIN verdicts v ON v.episode = e.id WHERE e.id = ? AND v.passed = 1",
                (identifier, time.time(), shown, episode),
            )
            if not made.rowcount:
                raise JournalError(f"episode {episode} holds no proven patch that could be offered")
        return identifier

    def write_seen(self, offer: str) -> None:
        """A person looks at an offer; the first time counts."""
        with self.writing() as connection:
            if not connection.execute("UPDATE offers SET seen = coalesce(seen, ?) WHERE id = ?", (time.time(), offer)).rowcount:
                raise JournalError(f"there is no offer {offer}")

    def write_decision(
        self, offer: str, kind: DecisionKind, correction: PatchEntry | None = None, *, source: Source = "told", reason: str = ""
    ) -> str:
        """A person has decided, with what they made of the patch where they changed it; how long that took is counted from seeing it."""
        identifier = self.identifier()
        row: dict[str, object] = {
            "id": identifier,
            "offer": offer,
            "kind": kind,
            "redacted": correction is not None and correction.redacted,
            "now": time.time(),
            "source": source,
            "reason": reason_text(reason, self.level),
        }
        with self.writing() as connection:
            row["edits"] = put(connection, correction.edits) if correction is not None else None
            connection.execute(
                "INSERT INTO decisions (id, offer, kind, edits, redacted, created, latency, source, reason) VALUES (:id, :offer, :kind,"
                " :edits, :redacted, :now, (SELECT max(0.0, :now - coalesce(seen, created)) FROM offers WHERE id = :offer), :source,"
                " :reason)",
                row,
            )
        return identifier

    def write_survival(self, offer: str, moment: Moment, *, tokens: int, kept: int) -> None:
        """How many of the tokens that a patch added are still there; a later measurement of the same moment replaces the earlier one."""
        with self.writing() as connection:
            connection.execute(
                "INSERT INTO survivals (offer, moment, tokens, kept, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT (offer, moment)"
                " DO UPDATE SET tokens = excluded.tokens, kept = excluded.kept, created = excluded.created",
                (offer, moment, tokens, kept, time.time()),
            )

    def check(self) -> tuple[str, ...]:
        """What SQLite finds wrong with the file; empty when it is sound."""
        with self.alone() as connection:
            found: Sequence[tuple[str]] = connection.execute("PRAGMA integrity_check(20)").fetchall()
            foreign = connection.execute("PRAGMA foreign_key_check").fetchall()
        wrong = tuple(line for (line,) in found if line != "ok")
        return (*wrong, *(f"a row of {row[0]} refers to a row of {row[2]} that is not there" for row in foreign[:20]))


def put_episode(connection: sqlite3.Connection, identifier: str, run: RunEntry, episode: EpisodeEntry) -> None:
    """A finished problem with its run, problem, identities, patch and verdict."""
    put_run(connection, run)
    problem = _put_problem(connection, episode.problem)
    for identity in (episode.harness, episode.policy):
        _put_identity(connection, identity)
    _put_episode(connection, identifier, run.id, problem, episode)
    if episode.patch is not None:
        proven = episode.outcome == "fixed" and episode.verdict is not None and episode.verdict.passed
        _put_patch(connection, identifier, episode.patch, proven=proven)
    if episode.verdict is not None:
        _put_verdict(connection, identifier, episode.verdict)


def put_run(connection: sqlite3.Connection, run: RunEntry) -> None:
    """Also for a run that was written before: another process may have erased it meanwhile."""
    connection.execute(
        "INSERT INTO workspaces (id, path) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET path = coalesce(path, excluded.path)",
        (run.workspace, run.path),
    )
    connection.execute(
        "INSERT OR IGNORE INTO runs (id, workspace, level, started, versions) VALUES (?, ?, ?, ?, ?)",
        (run.id, run.workspace, run.level, run.started, run.versions),
    )


def _put_identity(connection: sqlite3.Connection, entry: IdentityEntry) -> None:
    connection.execute(
        "INSERT INTO identities (kind, identity, name, fields) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (kind, identity) DO UPDATE SET fields = coalesce(fields, excluded.fields)",
        (entry.kind, entry.identity, entry.name, put(connection, entry.fields)),
    )


def _put_problem(connection: sqlite3.Connection, entry: ProblemEntry) -> int:
    _put_identity(connection, entry.environment)
    (key,) = connection.execute(
        "INSERT INTO problems (id, workspace, environment, check_name, snapshot, finding_count, findings, created, start, results)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id, workspace, environment) DO UPDATE SET findings = coalesce(findings, excluded.findings),"
        " start = coalesce(start, excluded.start), results = coalesce(results, excluded.results) RETURNING key",
        (
            entry.id,
            entry.workspace,
            entry.environment.identity,
            entry.check,
            entry.snapshot,
            entry.finding_count,
            put(connection, entry.findings),
            entry.created,
            put(connection, entry.start),
            put(connection, entry.results),
        ),
    ).fetchone()
    return int(key)


def _put_episode(connection: sqlite3.Connection, identifier: str, run: str, problem: int, entry: EpisodeEntry) -> None:
    row = {
        "id": identifier,
        "run": run,
        "problem": problem,
        "environment": entry.problem.environment.identity,
        "harness": entry.harness.identity,
        "policy": entry.policy.identity,
        "adapter": entry.adapter,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "turns": put(connection, entry.turns),
        "course": put(connection, entry.course),
        "steps": entry.steps,
        "prompt_tokens": entry.prompt_tokens,
        "completion_tokens": entry.completion_tokens,
        "cached_tokens": entry.cached_tokens,
        "seconds": entry.seconds,
        "seconds_policy": entry.seconds_policy,
        "seconds_sandbox": entry.seconds_sandbox,
        "seed": entry.seed,
        "versions": entry.versions,
        "created": entry.created,
    }
    names = ", ".join(row)
    places = ", ".join(f":{name}" for name in row)
    connection.execute(f"INSERT INTO episodes ({names}) VALUES ({places})", row)  # noqa: S608  # the names stand above


def _put_patch(connection: sqlite3.Connection, episode: str, entry: PatchEntry, *, proven: bool) -> None:
    cursor = connection.execute(
        "INSERT INTO patches (episode, edits, diff, files, added, removed, redacted) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            episode,
            put(connection, entry.edits),
            put(connection, entry.diff),
            entry.files,
            entry.added,
            entry.removed,
            entry.redacted,
        ),
    )
    if proven and entry.diff_text:
        index_fix(connection, cursor.lastrowid, entry)


def _put_verdict(connection: sqlite3.Connection, episode: str, entry: VerdictEntry) -> None:
    connection.execute(
        "INSERT INTO verdicts (episode, verdict, passed, infrastructure, reruns, seconds) VALUES (?, ?, ?, ?, ?, ?)",
        (episode, put(connection, entry.verdict), entry.passed, entry.infrastructure, entry.reruns, entry.seconds),
    )
