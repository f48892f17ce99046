"""Erasing: records leave the file, not only the tables. Freed pages are overwritten, the index is rebuilt, the file is shrunk.

Copies that were made before a migration hold the same records and are deleted too. What a file system or a backup program keeps of old
blocks is beyond reach.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from suture_agent.errors import JournalError
from suture_agent.journal.entries import workspace_id
from suture_agent.journal.files import explained
from suture_agent.journal.store import Journal

REFERENCES = (
    ("identities", "fields"),
    ("problems", "findings"),
    ("problems", "start"),
    ("problems", "results"),
    ("episodes", "turns"),
    ("episodes", "course"),
    ("patches", "edits"),
    ("patches", "diff"),
    ("verdicts", "verdict"),
    ("decisions", "edits"),
    ("impacts", "map"),
)
"""Every column that names a blob; a test holds it against the schema."""


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased."""

    episodes: int
    problems: int
    maps: int
    """Maps of impact."""
    backups: int
    bytes_freed: int
    flaky: int = 0
    """Tests that left the quarantine."""


def count(journal: Journal, *, workspace: Path | None = None, before: float | None = None) -> int:
    """How many episodes `erase` would take with the same choice."""
    where, values = _choice(workspace, before)
    with journal.reading() as connection:
        (found,) = connection.execute(f"SELECT count(*) FROM episodes WHERE id IN ({where})", values).fetchone()  # noqa: S608  # fixed texts
    return int(found)


def erase(journal: Journal, *, workspace: Path | None = None, before: float | None = None) -> Erased:
    """Erase the records of a workspace, those older than a time, those that are both, or all where neither is given."""
    size = _size(journal)
    where, values = _choice(workspace, before)
    with journal.writing() as connection:
        problems = _total(connection, "problems")
        episodes = connection.execute(f"DELETE FROM episodes WHERE id IN ({where})", values).rowcount  # noqa: S608  # fixed texts
        flaky = _erase_quarantine(connection, workspace, before)
        maps = _erase_maps(connection, workspace, before)
        _sweep(connection)
        left = _total(connection, "problems")
    _shrink(journal)
    backups = _drop_backups(journal)
    return Erased(
        episodes=episodes,
        problems=problems - left,
        maps=maps,
        backups=backups,
        bytes_freed=max(0, size - _size(journal)),
        flaky=flaky,
    )


def _erase_quarantine(connection: sqlite3.Connection, workspace: Path | None, before: float | None) -> int:
    """Erase flaky tests and counts of dropped failures; returns how many tests."""
    erased = 0
    for table, moment in (("dropped", "created"), ("flaky_tests", "last_seen")):
        query, values = f"DELETE FROM {table} WHERE 1", list[object]()  # noqa: S608  # fixed texts
        if workspace is not None:
            query += " AND workspace = ?"
            values.append(workspace_id(workspace))
        if before is not None:
            query += f" AND {moment} < ?"
            values.append(before)
        erased = connection.execute(query, values).rowcount
    return erased


def _choice(workspace: Path | None, before: float | None) -> tuple[str, tuple[object, ...]]:
    query = "SELECT e.id FROM episodes e JOIN problems p ON p.key = e.problem WHERE 1"
    values: list[object] = []
    if workspace is not None:
        query += " AND p.workspace = ?"
        values.append(workspace_id(workspace))
    if before is not None:
        query += " AND e.created < ?"
        values.append(before)
    return query, tuple(values)


def _erase_maps(connection: sqlite3.Connection, workspace: Path | None, before: float | None) -> int:
    """What says which tests ran what goes with the episodes of the same choice."""
    wanted = {"workspace = ?": workspace_id(workspace) if workspace is not None else None, "created < ?": before}
    chosen = {condition: value for condition, value in wanted.items() if value is not None}
    where = " AND ".join(["1", *chosen])
    return connection.execute(f"DELETE FROM impacts WHERE {where}", tuple(chosen.values())).rowcount  # noqa: S608  # fixed texts


def _sweep(connection: sqlite3.Connection) -> None:
    """Delete what nothing refers to any more. Work that goes on writes its run and problem anew."""
    connection.execute("DELETE FROM fixes WHERE rowid NOT IN (SELECT key FROM patches)")
    connection.execute("DELETE FROM problems WHERE key NOT IN (SELECT problem FROM episodes)")
    connection.execute("DELETE FROM runs WHERE id NOT IN (SELECT run FROM episodes)")
    tables = ("problems", "runs", "flaky_tests", "dropped", "impacts")
    in_use = " UNION ".join(f"SELECT workspace FROM {table}" for table in tables)  # noqa: S608  # fixed texts
    connection.execute(f"DELETE FROM workspaces WHERE id NOT IN ({in_use})")  # noqa: S608  # fixed texts
    for kind in ("environment", "harness", "policy"):
        kept = f"SELECT {kind} FROM episodes" + (" UNION SELECT environment FROM problems" if kind == "environment" else "")  # noqa: S608  # fixed texts
        connection.execute(f"DELETE FROM identities WHERE kind = ? AND identity NOT IN ({kept})", (kind,))  # noqa: S608  # fixed texts
    used = " UNION ".join(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL" for table, column in REFERENCES)  # noqa: S608  # fixed texts
    connection.execute(f"DELETE FROM blobs WHERE hash NOT IN ({used})")  # noqa: S608  # fixed texts
    connection.execute("INSERT INTO fixes (fixes) VALUES (?)", ("rebuild",))


def _shrink(journal: Journal) -> None:
    with journal.alone() as connection:
        connection.execute("VACUUM")
        (busy, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise JournalError(
            f"{journal.path}: the records are erased, but another program still reads the file's old pages",
            remedy="end it and run suture journal erase again",
        )


def _drop_backups(journal: Journal) -> int:
    with explained(journal.path):
        copies = [path for path in journal.path.parent.glob(f"{journal.path.name}.schema*.bak*") if path.is_file()]
        for path in copies:
            path.unlink()
    return len(copies)


def _size(journal: Journal) -> int:
    return sum(path.stat().st_size for path in journal.path.parent.glob(f"{journal.path.name}*") if path.is_file())


def _total(connection: sqlite3.Connection, table: str) -> int:
    (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608  # a name from this file
    return int(found)
