"""The journal's tables, as numbered migrations. Forward only: an older suture refuses a newer journal instead of guessing.

Each migration is a tuple of statements that runs in one transaction; its number is its place in `MIGRATIONS`, kept in `user_version`.
A published migration is never edited: a change is a new one at the end.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from suture_agent.errors import JournalError

APPLICATION = 0x73757475
"""`application_id` of a journal ("sutu"): tells it from any other SQLite file."""

FIRST = (
    """
    CREATE TABLE blobs (
        hash TEXT PRIMARY KEY,
        data BLOB NOT NULL,
        size INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE identities (
        kind TEXT NOT NULL CHECK (kind IN ('environment', 'harness', 'policy')),
        identity TEXT NOT NULL,
        name TEXT NOT NULL DEFAULT '',
        fields TEXT REFERENCES blobs (hash),
        PRIMARY KEY (kind, identity)
    ) STRICT
    """,
    """
    CREATE TABLE workspaces (
        id TEXT PRIMARY KEY,
        path TEXT
    ) STRICT
    """,
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        workspace TEXT NOT NULL REFERENCES workspaces (id),
        level TEXT NOT NULL CHECK (level IN ('metadata', 'full')),
        started REAL NOT NULL,
        ended REAL,
        versions TEXT NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE problems (
        key INTEGER PRIMARY KEY,
        id TEXT NOT NULL,
        workspace TEXT NOT NULL REFERENCES workspaces (id),
        environment TEXT NOT NULL,
        check_name TEXT NOT NULL,
        snapshot TEXT NOT NULL,
        finding_count INTEGER NOT NULL,
        findings TEXT REFERENCES blobs (hash),
        created REAL NOT NULL,
        UNIQUE (id, workspace, environment)
    ) STRICT
    """,
    """
    CREATE TABLE episodes (
        id TEXT PRIMARY KEY,
        run TEXT NOT NULL REFERENCES runs (id),
        problem INTEGER NOT NULL REFERENCES problems (key),
        environment TEXT NOT NULL,
        harness TEXT NOT NULL,
        policy TEXT NOT NULL,
        adapter TEXT NOT NULL,
        outcome TEXT NOT NULL CHECK (outcome IN ('fixed', 'unfixed', 'infrastructure', 'cancelled')),
        reason TEXT NOT NULL,
        turns TEXT REFERENCES blobs (hash),
        steps INTEGER NOT NULL,
        prompt_tokens INTEGER NOT NULL,
        completion_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        seconds REAL NOT NULL,
        seconds_policy REAL NOT NULL,
        seconds_sandbox REAL NOT NULL,
        seed INTEGER NOT NULL,
        versions TEXT NOT NULL,
        created REAL NOT NULL
    ) STRICT
    """,
    "CREATE INDEX episodes_by_run ON episodes (run)",
    "CREATE INDEX episodes_by_problem ON episodes (problem, id)",
    """
    CREATE TABLE patches (
        key INTEGER PRIMARY KEY,
        episode TEXT NOT NULL UNIQUE REFERENCES episodes (id) ON DELETE CASCADE,
        edits TEXT REFERENCES blobs (hash),
        diff TEXT REFERENCES blobs (hash),
        files INTEGER NOT NULL,
        added INTEGER NOT NULL,
        removed INTEGER NOT NULL,
        redacted INTEGER NOT NULL CHECK (redacted IN (0, 1))
    ) STRICT
    """,
    """
    CREATE TABLE verdicts (
        episode TEXT PRIMARY KEY REFERENCES episodes (id) ON DELETE CASCADE,
        verdict TEXT REFERENCES blobs (hash),
        passed INTEGER NOT NULL CHECK (passed IN (0, 1)),
        infrastructure INTEGER NOT NULL CHECK (infrastructure IN (0, 1)),
        reruns INTEGER NOT NULL,
        seconds REAL NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE offers (
        id TEXT PRIMARY KEY,
        episode TEXT NOT NULL REFERENCES episodes (id) ON DELETE CASCADE,
        created REAL NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE decisions (
        id TEXT PRIMARY KEY,
        offer TEXT NOT NULL REFERENCES offers (id) ON DELETE CASCADE,
        kind TEXT NOT NULL CHECK (kind IN (
            'accepted', 'accepted_with_edits', 'rejected', 'rejected_with_correction',
            'reverted', 'ignored', 'expired', 'withdrawn'
        )),
        edits TEXT REFERENCES blobs (hash),
        redacted INTEGER NOT NULL CHECK (redacted IN (0, 1)),
        created REAL NOT NULL
    ) STRICT
    """,
    "CREATE INDEX decisions_by_offer ON decisions (offer, id)",
    "CREATE VIRTUAL TABLE failures USING fts5 (failure, diff)",
)

SURVIVAL = (
    """
    CREATE TABLE survivals (
        offer TEXT NOT NULL REFERENCES offers (id) ON DELETE CASCADE,
        moment TEXT NOT NULL CHECK (moment IN ('save', '30s', '5min', '15min', 'commit')),
        tokens INTEGER NOT NULL,
        kept INTEGER NOT NULL CHECK (kept BETWEEN 0 AND tokens),
        created REAL NOT NULL,
        PRIMARY KEY (offer, moment)
    ) STRICT
    """,
)

OFFERED = (
    "ALTER TABLE offers ADD COLUMN environment TEXT",
    "ALTER TABLE offers ADD COLUMN harness TEXT",
    "ALTER TABLE offers ADD COLUMN snapshot TEXT",
    "ALTER TABLE offers ADD COLUMN shown TEXT CHECK (shown IN ('action', 'message', 'notification'))",
    "ALTER TABLE offers ADD COLUMN seen REAL",
    "ALTER TABLE decisions ADD COLUMN latency REAL",
    "ALTER TABLE decisions ADD COLUMN source TEXT CHECK (source IN ('told', 'inferred'))",
    "ALTER TABLE decisions ADD COLUMN reason TEXT",
    """
    UPDATE offers SET (environment, harness, snapshot) = (
        SELECT e.environment, e.harness, p.snapshot FROM episodes e JOIN problems p ON p.key = e.problem WHERE e.id = offers.episode
    )
    """,
    "CREATE INDEX offers_by_episode ON offers (episode)",
)

QUARANTINE = (
    """
    CREATE TABLE flaky_tests (
        workspace TEXT NOT NULL REFERENCES workspaces (id),
        environment TEXT NOT NULL,
        check_name TEXT NOT NULL,
        test_hash TEXT NOT NULL,
        test TEXT,
        file_hash TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('order', 'time', 'randomness', 'shared state', 'load')),
        counts TEXT NOT NULL,
        first_seen REAL NOT NULL,
        last_seen REAL NOT NULL,
        PRIMARY KEY (workspace, environment, check_name, test_hash)
    ) STRICT
    """,
    """
    CREATE TABLE dropped (
        id TEXT PRIMARY KEY,
        workspace TEXT NOT NULL REFERENCES workspaces (id),
        environment TEXT NOT NULL,
        check_name TEXT NOT NULL,
        reason TEXT NOT NULL CHECK (reason IN ('passed', 'flaky', 'mended')),
        created REAL NOT NULL
    ) STRICT
    """,
)

IMPACT = (
    """
    CREATE TABLE impacts (
        workspace TEXT NOT NULL REFERENCES workspaces (id),
        environment TEXT NOT NULL,
        check_name TEXT NOT NULL,
        tests INTEGER NOT NULL,
        files INTEGER NOT NULL,
        seconds REAL NOT NULL,
        created REAL NOT NULL,
        map TEXT NOT NULL REFERENCES blobs (hash),
        PRIMARY KEY (workspace, environment, check_name)
    ) STRICT
    """,
    "CREATE INDEX impacts_by_map ON impacts (map)",
)

PIPELINES = (
    "ALTER TABLE episodes ADD COLUMN course TEXT REFERENCES blobs (hash)",
    "ALTER TABLE problems ADD COLUMN start TEXT REFERENCES blobs (hash)",
    "ALTER TABLE problems ADD COLUMN results TEXT REFERENCES blobs (hash)",
    """
    CREATE TABLE origins (
        patch INTEGER PRIMARY KEY REFERENCES patches (key) ON DELETE CASCADE,
        mark TEXT NOT NULL,
        repository TEXT NOT NULL,
        task TEXT NOT NULL
    ) STRICT
    """,
    "CREATE VIRTUAL TABLE fixes USING fts5 (signature, failure, code, diff)",
    "INSERT INTO fixes (rowid, signature, failure, code, diff) SELECT rowid, failure, failure, diff, diff FROM failures",
    "DROP TABLE failures",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (FIRST, SURVIVAL, OFFERED, QUARANTINE, IMPACT, PIPELINES)


def version_of(connection: sqlite3.Connection) -> int:
    """How many migrations the file has seen; 0 for an empty file."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def refuse_stranger(connection: sqlite3.Connection, known: int) -> None:
    """Raise JournalError when the file is another program's, or a newer suture's."""
    connection.execute("BEGIN")  # one state of the file: another process may be making the tables at this moment
    try:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        found = version_of(connection)
    finally:
        connection.execute("ROLLBACK")
    if application != APPLICATION and (application or tables):
        raise JournalError("the file is an SQLite database, but not a journal of suture", remedy="set journal.path to another file")
    if found > known:
        raise JournalError(
            f"the journal has schema {found}, and this suture knows schemas up to {known}",
            remedy="use the newer suture that wrote it, or set journal.path to another file",
        )


def migrate(connection: sqlite3.Connection, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
    """Bring the file to the newest schema in one transaction; what another process did meanwhile is seen and not done twice."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for number, statements in enumerate(migrations[version_of(connection) :], start=version_of(connection) + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number:d}")
        connection.execute(f"PRAGMA application_id = {APPLICATION:d}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
