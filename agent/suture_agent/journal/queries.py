"""Reading the journal: counts, lists, whole records, what was proven before, what resembles a failure (`past_fixes`)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from suture_agent.errors import JournalError
from suture_agent.journal.blobs import get
from suture_agent.journal.entries import workspace_id
from suture_agent.journal.offers import Offer, offers_of
from suture_agent.journal.past_fixes import recall
from suture_agent.journal.schema import version_of
from suture_agent.journal.store import Journal
from suture_agent.journal.stored import StoredCourse, StoredPatch, StoredTurns
from suture_sandbox.patch import Patch

__all__ = ["Line", "NoSuchRecord", "Record", "Stats", "proven", "recall", "recent", "show", "stats"]


class NoSuchRecord(JournalError):
    """No record, or more than one, begins like that: a mistake of the one who asks, not of the journal."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One episode in a list."""

    id: str
    created: float
    """Seconds since 1970."""
    problem: str
    check: str
    outcome: str
    reason: str
    workspace: str
    """The path; a hash of it where only metadata is kept."""
    policy: str
    environment: str
    harness: str
    steps: int
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    files: int
    added: int
    removed: int


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that is kept of an episode."""

    line: Line
    run: str
    adapter: str
    seed: int
    versions: dict[str, str]
    finding_count: int
    snapshot: str
    findings: Any
    """None at the level `metadata`, as everything below that is text."""
    conversation: StoredTurns | None
    diff: str | None
    redacted: bool
    """Whether secrets were taken out of the patch, so that it is for reading only."""
    verdict: Any
    fields: dict[str, Any]
    """The named fields of the environment, the harness and the policy."""
    course: StoredCourse | None = None
    """What the pipeline did beside the conversation; None where it did nothing."""
    offers: tuple[Offer, ...] = ()


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """The journal in figures."""

    problems: int
    episodes: int
    runs: int
    offers: int
    outcomes: dict[str, int]
    checks: dict[str, int]
    policies: dict[str, int]
    environments: dict[str, int]
    shown: dict[str, int]
    """Offers by the way they were shown."""
    seen: int
    """Offers that a person looked at."""
    decisions: dict[str, int]
    sources: dict[str, int]
    """Decisions by where they are known from."""
    dropped: dict[str, int]
    """Failures that nobody worked on, by why: passed (unchanged when it was run again), flaky, mended (by an earlier fix)."""
    flaky: dict[str, int]
    """Tests in quarantine, by what they seem to depend on; expired ones included."""
    prompt_tokens: int
    completion_tokens: int
    seconds: float
    bytes_on_disk: int
    bytes_unpacked: int
    """What the blobs would take without compression."""
    maps: int
    """Maps of impact: which tests ran what."""
    db_schema: int


_LINES = """
    SELECT e.id, e.created, p.id AS problem, p.check_name AS "check", e.outcome, e.reason, coalesce(w.path, w.id) AS workspace,
           coalesce(i.name, e.policy) AS policy, e.environment, e.harness, e.steps, e.prompt_tokens, e.completion_tokens, e.seconds,
           coalesce(a.files, 0) AS files, coalesce(a.added, 0) AS added, coalesce(a.removed, 0) AS removed
    FROM episodes e JOIN problems p ON p.key = e.problem JOIN workspaces w ON w.id = p.workspace
    LEFT JOIN identities i ON i.kind = 'policy' AND i.identity = e.policy LEFT JOIN patches a ON a.episode = e.id
"""


def stats(journal: Journal) -> Stats:
    """Count what is kept."""
    with journal.reading() as connection:
        (prompt, completion, seconds) = _row(
            connection,
            "SELECT coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0), coalesce(sum(seconds), 0.0) FROM episodes",
        )
        return Stats(
            problems=_row(connection, "SELECT count(*) FROM problems")[0],
            episodes=_row(connection, "SELECT count(*) FROM episodes")[0],
            runs=_row(connection, "SELECT count(*) FROM runs")[0],
            offers=_row(connection, "SELECT count(*) FROM offers")[0],
            outcomes=_counts(connection, "SELECT outcome, count(*) FROM episodes GROUP BY 1 ORDER BY 2 DESC, 1"),
            checks=_counts(
                connection,
                "SELECT p.check_name, count(*) FROM episodes e JOIN problems p ON p.key = e.problem GROUP BY 1 ORDER BY 2 DESC, 1",
            ),
            policies=_counts(
                connection,
                "SELECT i.name, count(*) FROM episodes e JOIN identities i ON i.kind = 'policy' AND i.identity = e.policy"
                " GROUP BY 1 ORDER BY 2 DESC, 1",
            ),
            environments=_counts(connection, "SELECT environment, count(*) FROM episodes GROUP BY 1 ORDER BY 2 DESC, 1"),
            shown=_counts(connection, "SELECT shown, count(*) FROM offers WHERE shown IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"),
            seen=_row(connection, "SELECT count(seen) FROM offers")[0],
            decisions=_counts(connection, "SELECT kind, count(*) FROM decisions GROUP BY 1 ORDER BY 2 DESC, 1"),
            sources=_counts(connection, "SELECT source, count(*) FROM decisions WHERE source IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"),
            dropped=_counts(connection, "SELECT reason, count(*) FROM dropped GROUP BY 1 ORDER BY 2 DESC, 1"),
            flaky=_counts(connection, "SELECT kind, count(*) FROM flaky_tests GROUP BY 1 ORDER BY 2 DESC, 1"),
            prompt_tokens=prompt,
            completion_tokens=completion,
            seconds=seconds,
            bytes_on_disk=sum(file.stat().st_size for file in journal.path.parent.glob(f"{journal.path.name}*") if file.is_file()),
            bytes_unpacked=_row(connection, "SELECT coalesce(sum(size), 0) FROM blobs")[0],
            maps=_row(connection, "SELECT count(*) FROM impacts")[0],
            db_schema=version_of(connection),
        )


def recent(
    journal: Journal, *, limit: int = 20, outcome: str | None = None, check: str | None = None, workspace: Path | None = None
) -> tuple[Line, ...]:
    """The latest episodes, newest first."""
    wanted = {"e.outcome": outcome, "p.check_name": check, "p.workspace": workspace_id(workspace) if workspace else None}
    chosen = {name: value for name, value in wanted.items() if value is not None}
    where = "WHERE " + " AND ".join(f"{name} = ?" for name in chosen) if chosen else ""
    with journal.reading() as connection:
        return _lines(connection, f"{where} ORDER BY e.id DESC LIMIT ?", (*chosen.values(), limit))


def show(journal: Journal, prefix: str) -> Record:
    """The whole record of an episode; `prefix` begins its identifier, or that of a problem, whose newest episode is meant then."""
    with journal.reading() as connection:
        line = _find(connection, prefix.strip().lower())
        (run, adapter, seed, versions, turns, course, count, snapshot, findings, diff, redacted, verdict) = _row(
            connection,
            "SELECT e.run, e.adapter, e.seed, e.versions, e.turns, e.course,"
            " p.finding_count, p.snapshot, p.findings, a.diff, a.redacted, v.verdict"
            " FROM episodes e JOIN problems p ON p.key = e.problem LEFT JOIN patches a ON a.episode = e.id"
            " LEFT JOIN verdicts v ON v.episode = e.id WHERE e.id = ?",
            (line.id,),
        )
        return Record(
            line=line,
            run=run,
            adapter=adapter,
            seed=seed,
            versions=msgspec.json.decode(versions, type=dict[str, str]),
            finding_count=count,
            snapshot=snapshot,
            findings=_optional(connection, findings),
            conversation=get(connection, turns, StoredTurns) if turns else None,
            diff=get(connection, diff, str) if diff else None,
            redacted=bool(redacted),
            verdict=_optional(connection, verdict),
            fields=_fields(connection, line.id),
            course=get(connection, course, StoredCourse) if course else None,
            offers=offers_of(connection, line.id),
        )


def proven(journal: Journal, problem: str, environment: str) -> tuple[Patch, ...]:
    """Patches that were proven for a problem in an environment, newest first, each once; redacted ones, which no longer apply, left out."""
    with journal.reading() as connection:
        names = connection.execute(
            "SELECT a.edits FROM patches a JOIN episodes e ON e.id = a.episode JOIN verdicts v ON v.episode = e.id"
            " JOIN problems p ON p.key = e.problem WHERE p.id = ? AND p.environment = ? AND e.outcome = 'fixed' AND v.passed = 1"
            " AND a.redacted = 0 AND a.edits IS NOT NULL ORDER BY e.id DESC",
            (problem, environment),
        ).fetchall()
        return tuple(get(connection, name, StoredPatch).patch() for name in dict.fromkeys(name for (name,) in names))


def _find(connection: sqlite3.Connection, prefix: str) -> Line:
    if not re.fullmatch(r"[0-9a-z]{1,64}", prefix):
        raise NoSuchRecord(f"{prefix!r} is not the beginning of an identifier", remedy="suture journal list shows them")
    among = (prefix, prefix + "~")
    found = _lines(connection, "WHERE e.id >= ? AND e.id < ? ORDER BY e.id DESC LIMIT 6", among)
    if not found:
        of_problems = _lines(connection, "WHERE p.id >= ? AND p.id < ? ORDER BY e.id DESC LIMIT 100", among)
        found = tuple({line.problem: line for line in reversed(of_problems)}.values())
    if not found:
        raise NoSuchRecord(f"nothing in the journal begins with {prefix}", remedy="suture journal list shows what there is")
    first, *others = found
    if others:
        listed = ", ".join(line.id if line.id.startswith(prefix) else line.problem for line in found[:5])
        raise NoSuchRecord(f"{prefix} is the beginning of several: {listed}", remedy="give more of the identifier")
    return first


def _lines(connection: sqlite3.Connection, rest: str, values: Sequence[object]) -> tuple[Line, ...]:
    cursor = connection.execute(f"{_LINES} {rest}", values)
    names = [str(description[0]) for description in cursor.description]
    return tuple(Line(**dict(zip(names, row, strict=True))) for row in cursor)


def _fields(connection: sqlite3.Connection, episode: str) -> dict[str, Any]:
    rows = connection.execute(
        "SELECT i.kind, i.identity, i.fields FROM episodes e JOIN identities i ON (i.kind = 'environment' AND i.identity = e.environment)"
        " OR (i.kind = 'harness' AND i.identity = e.harness) OR (i.kind = 'policy' AND i.identity = e.policy)"
        " WHERE e.id = ? ORDER BY i.kind",
        (episode,),
    ).fetchall()
    return {kind: {"identity": identity, "fields": _optional(connection, fields)} for kind, identity, fields in rows}


def _optional(connection: sqlite3.Connection, name: str | None) -> Any:  # noqa: ANN401  # JSON of any shape
    return None if name is None else get(connection, name, object)


def _counts(connection: sqlite3.Connection, query: str) -> dict[str, int]:
    return {str(name): int(count) for name, count in connection.execute(query)}


def _row(connection: sqlite3.Connection, query: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
    row: tuple[Any, ...] = connection.execute(query, values).fetchone()
    return row
