"""The journal's file on disk: private to its owner, never reached through a symbolic link, opened as SQLite in WAL mode.

SQLite gives its side files (-wal, -shm) the mode of the main file, so the main file's mode is all there is to set.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from suture_agent.errors import JournalError
from suture_agent.journal.schema import MIGRATIONS, migrate, refuse_stranger, version_of

BUSY_SECONDS = 30
"""How long a writer waits for another process's transaction; each takes milliseconds."""


def connect(path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> sqlite3.Connection:
    """Open the journal, making or migrating it where needed. Raises JournalError with what to do."""
    with explained(path):
        _make(path)
        connection = _configured(path)
        try:
            refuse_stranger(connection, len(migrations))
            found = version_of(connection)
            if 0 < found < len(migrations):
                _back_up(connection, backup_of(path, found))
            if found < len(migrations):
                migrate(connection, migrations)
        except BaseException:
            connection.close()
            raise
    return connection


def backup_of(path: Path, version: int) -> Path:
    """Where the copy lies that is made before a journal of schema `version` is migrated."""
    return path.with_name(f"{path.name}.schema{version}.bak")


@contextmanager
def explained(path: Path) -> Generator[None, None, None]:
    """Turn what the system and SQLite raise into JournalErrors that say what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(f"{path}: {error}", remedy=_remedy(error, path)) from error
    except OSError as error:
        raise JournalError(
            f"{path}: {error.strerror or error}", remedy="make the folder writable, set journal.path, or set journal.level = 'off'"
        ) from error


def _remedy(error: sqlite3.Error, path: Path) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return f"the file is damaged and was left as it is: move it away (mv {path} {path}.damaged) and suture starts a new one"
    if code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return "free space on the disk, or set journal.path to a file on another one"
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return "another program holds the journal: end it, then run again"
    return "make the file and its folder writable, set journal.path, or set journal.level = 'off'"


def _make(path: Path) -> None:
    """Make the folder (0700) and the file (0600), or check the file that is there: SQLite itself would follow a link."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except OSError as error:
        if path.is_symlink():
            raise JournalError(f"{path} is a symbolic link", remedy="set journal.path to the file itself") from error
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1 or found.st_uid != os.geteuid():
            raise JournalError(f"{path} is not a plain file of yours with one name", remedy="set journal.path to another file")
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _configured(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:d}")
        refuse_stranger(connection, 1_000_000)
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to WAL mode. SQLite does not wait for another process that switches at the same moment, it gives up: wait here."""
    give_up = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > give_up:
                raise
            time.sleep(0.01)
            continue
        if mode != "wal":
            raise sqlite3.OperationalError(f"the file system does not take write-ahead logs (mode {mode})")
        return


def _back_up(connection: sqlite3.Connection, target: Path) -> None:
    """Copy the journal before it is changed. The copy is whole before it gets its name."""
    draft = target.with_name(f"{target.name}.{os.getpid()}.tmp")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    try:
        with closing(sqlite3.connect(draft)) as copy:
            connection.backup(copy)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
