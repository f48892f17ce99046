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
    ("episodes", "turns"),
    ("patches", "edits"),
    ("patches", "diff"),
    ("verdicts", "verdict"),
    ("decisions", "edits"),
)
"""Every column that names a blob; a test holds it against the schema."""


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased."""

    episodes: int
    problems: int
    backups: int
    bytes_freed: int


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
        _sweep(connection)
        left = _total(connection, "problems")
    _shrink(journal)
    backups = _drop_backups(journal)
    return Erased(episodes=episodes, problems=problems - left, backups=backups, bytes_freed=max(0, size - _size(journal)))


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


def _sweep(connection: sqlite3.Connection) -> None:
    """Delete what nothing refers to any more. Work that goes on writes its run and problem anew."""
    connection.execute("DELETE FROM failures WHERE rowid NOT IN (SELECT key FROM patches)")
    connection.execute("DELETE FROM problems WHERE key NOT IN (SELECT problem FROM episodes)")
    connection.execute("DELETE FROM runs WHERE id NOT IN (SELECT run FROM episodes)")
    connection.execute("DELETE FROM workspaces WHERE id NOT IN (SELECT workspace FROM problems UNION SELECT workspace FROM runs)")
    for kind in ("environment", "harness", "policy"):
        kept = f"SELECT {kind} FROM episodes" + (" UNION SELECT environment FROM problems" if kind == "environment" else "")  # noqa: S608  # fixed texts
        connection.execute(f"DELETE FROM identities WHERE kind = ? AND identity NOT IN ({kept})", (kind,))  # noqa: S608  # fixed texts
    used = " UNION ".join(f"SELECT {column} FROM {table} WHERE {column} IS NOT NULL" for table, column in REFERENCES)  # noqa: S608  # fixed texts
    connection.execute(f"DELETE FROM blobs WHERE hash NOT IN ({used})")  # noqa: S608  # fixed texts
    connection.execute("INSERT INTO failures (failures) VALUES (?)", ("rebuild",))


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
