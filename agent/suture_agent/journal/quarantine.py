"""The quarantine in the journal: flaky tests of a workspace in an environment, and how many failures nobody worked on.

At the level `metadata`, and for tests in files that `privacy.exclude` names, a test is known by the hash of its id alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from suture_agent.journal.entries import RunEntry, level_for, workspace_id
from suture_agent.journal.store import Journal, put_run
from suture_agent.journal.stored import stored_value
from suture_agent.quarantine import Quarantined, merged
from suture_sandbox.environment import Environment
from suture_sandbox.flaky.statistics import Count

if TYPE_CHECKING:
    from suture_agent.reproduce import Dropped

_COLUMNS = "check_name, test_hash, test, file_hash, kind, counts, first_seen, last_seen"


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with the place where it holds."""

    workspace: str
    """The path; a hash of it where only metadata is kept."""
    environment: str
    test: Quarantined


def write_flaky(journal: Journal, run: RunEntry, environment: Environment, found: Iterable[Quarantined]) -> None:
    """Put tests into the quarantine; what is known of them already is added to."""
    with journal.writing() as connection:
        put_run(connection, run)
        for entry in found:
            place = (run.workspace, environment.identity, entry.check, entry.test_hash)
            whole = merged(_one(connection, place), entry)
            path = (entry.test or "").partition("::")[0]
            full = level_for((path,), environment, journal.level) == "full" and entry.test is not None
            connection.execute(
                f"INSERT OR REPLACE INTO flaky_tests (workspace, environment, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # names from this file
                (
                    *place,
                    str(stored_value(entry.test)) if full else None,
                    whole.file_hash,
                    whole.kind,
                    msgspec.json.encode(whole.by, order="sorted").decode(),
                    whole.first_seen,
                    whole.last_seen,
                ),
            )


def write_dropped(journal: Journal, run: RunEntry, environment: str, check: str, why: Dropped) -> None:
    """Count a failure that nobody worked on."""
    with journal.writing() as connection:
        put_run(connection, run)
        connection.execute(
            "INSERT INTO dropped (id, workspace, environment, check_name, reason, created) VALUES (?, ?, ?, ?, ?, ?)",
            (journal.identifier(), run.workspace, environment, check, why, time.time()),
        )


def flaky_of(journal: Journal, root: Path, environment: str) -> tuple[Quarantined, ...]:
    """The quarantine of a workspace in an environment, expired entries included."""
    with journal.reading() as connection:
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM flaky_tests WHERE workspace = ? AND environment = ?",  # noqa: S608  # names from this file
            (workspace_id(root), environment),
        )
        return tuple(_entry(row) for row in rows)


def listed(journal: Journal, *, workspace: Path | None = None) -> tuple[Listed, ...]:
    """The whole quarantine, or that of a workspace in all environments, what was seen last first."""
    where, values = ("WHERE f.workspace = ?", (workspace_id(workspace),)) if workspace is not None else ("", ())
    with journal.reading() as connection:
        rows = connection.execute(
            f"SELECT coalesce(w.path, w.id), f.environment, {_COLUMNS} FROM flaky_tests f"  # noqa: S608  # names from this file
            f" JOIN workspaces w ON w.id = f.workspace {where} ORDER BY f.last_seen DESC, f.check_name, f.test_hash",
            values,
        )
        return tuple(Listed(workspace=row[0], environment=row[1], test=_entry(row[2:])) for row in rows)


def _one(connection: sqlite3.Connection, place: tuple[str, str, str, str]) -> Quarantined | None:
    row = connection.execute(
        f"SELECT {_COLUMNS} FROM flaky_tests WHERE workspace = ? AND environment = ? AND check_name = ? AND test_hash = ?",  # noqa: S608  # the same
        place,
    ).fetchone()
    return None if row is None else _entry(row)


def _entry(row: tuple[str, str, str | None, str, str, str, float, float]) -> Quarantined:
    check, test_hash, test, file_hash, kind, counts, first_seen, last_seen = row
    by: Mapping[str, Count] = msgspec.json.decode(counts, type=dict[str, Count])
    found = {"kind": kind, "check": check, "test_hash": test_hash, "test": test, "file_hash": file_hash, "by": by}
    return msgspec.convert({**found, "first_seen": first_seen, "last_seen": last_seen}, Quarantined)
