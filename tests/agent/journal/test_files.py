"""The journal's file: private, never reached through a link, migrated with a copy, refused with a remedy when it cannot be used."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from suture_agent.errors import JournalError
from suture_agent.journal import queries
from suture_agent.journal.files import backup_of, connect
from suture_agent.journal.schema import APPLICATION, MIGRATIONS, migrate, version_of
from suture_agent.journal.store import Journal
from suture_sandbox.local.bubblewrap import find

NEXT = (*MIGRATIONS, ("ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT 'none'", "CREATE TABLE notes (text TEXT) STRICT"))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_file_and_folder_are_private_whatever_the_umask(tmp_path, keep, make_repair):
    path = tmp_path / "new" / "data" / "journal.sqlite3"
    before = os.umask(0)
    try:
        journal = Journal.open(path)
        keep(journal, make_repair())
        files = {each.name: mode(each) for each in path.parent.iterdir()}
        journal.close()
    finally:
        os.umask(before)
    assert mode(path.parent) == 0o700
    assert len(files) == 3
    assert set(files.values()) == {0o600}


def test_a_file_that_others_could_read_is_made_private(path):
    path.parent.mkdir()
    path.touch(0o644)
    path.chmod(0o666)
    Journal.open(path).close()
    assert mode(path) == 0o600


def test_a_symbolic_link_is_refused_and_its_target_left_alone(path, tmp_path):
    path.parent.mkdir()
    target = tmp_path / "target"
    path.symlink_to(target)
    with pytest.raises(JournalError, match="symbolic link") as caught:
        Journal.open(path)
    assert caught.value.remedy
    assert not target.exists()
    target.write_bytes(b"precious")
    with pytest.raises(JournalError):
        Journal.open(path)
    assert target.read_bytes() == b"precious"


@pytest.mark.parametrize("kind", ["folder", "hard link", "fifo"])
def test_what_is_no_plain_file_is_refused(path, tmp_path, kind):
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        (tmp_path / "other").touch()
        os.link(tmp_path / "other", path)
    with pytest.raises(JournalError) as caught:
        Journal.open(path)
    assert caught.value.remedy


@pytest.mark.parametrize("content", [b"this is not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4080, os.urandom(8192)])
def test_a_file_that_is_no_database_is_refused_and_kept(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(JournalError) as caught:
        Journal.open(path)
    assert f"mv {path}" in caught.value.remedy
    assert path.read_bytes() == content


def test_the_log_of_a_killed_writer_repairs_a_damaged_header(path, keep, make_repair):
    journal = Journal.open(path)
    identifier = keep(journal, make_repair())
    log = path.with_name(path.name + "-wal")
    content = log.read_bytes()
    journal.close()
    path.write_bytes(b"x" * 16 + path.read_bytes()[16:])
    log.write_bytes(content)
    again = Journal.open(path)
    assert again.check() == ()
    assert queries.show(again, identifier).line.id == identifier
    again.close()


def test_a_journal_of_the_first_schema_is_brought_up_to_date(path):
    connect(path, MIGRATIONS[:1]).close()
    with closing(connect(path)) as connection:
        assert version_of(connection) == len(MIGRATIONS)
        assert connection.execute("SELECT count(*) FROM survivals").fetchone() == (0,)
    assert backup_of(path, 1).is_file()


def test_offers_of_an_older_schema_are_filled_in(path, keep, make_repair, environment):
    journal = Journal.open(path)
    episode = keep(journal, make_repair())
    journal.close()
    old = path.with_name("old.sqlite3")
    connect(old, MIGRATIONS[:2]).close()
    with closing(connect(path)) as newest, closing(sqlite3.connect(old)) as connection:
        for table in ("blobs", "identities", "workspaces", "runs", "problems", "episodes", "patches", "verdicts"):
            columns = ", ".join(row[1] for row in connection.execute(f"PRAGMA table_info({table})"))
            rows = newest.execute(f"SELECT {columns} FROM {table}").fetchall()
            connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        connection.execute("INSERT INTO offers VALUES ('o', ?, 1.0)", (episode,))
        connection.execute("INSERT INTO decisions VALUES ('d', 'o', 'ignored', NULL, 0, 2.0)")
        connection.commit()
    with closing(Journal.open(old)) as journal:
        record = queries.show(journal, episode)
        assert journal.check() == ()
    (offer,) = record.offers
    assert (offer.environment, offer.harness, offer.snapshot) == (environment.identity, record.line.harness, record.snapshot)
    assert (offer.shown, offer.seen) == (None, None)
    assert [(each.kind, each.latency, each.source, each.reason) for each in offer.decisions] == [("ignored", None, None, "")]


def _trouble(path: Path) -> str:
    """The remedy for a damaged file, told at the opening or when it is counted; else what the check finds."""
    try:
        with closing(Journal.open(path)) as journal:
            queries.stats(journal)
            return " ".join(journal.check())
    except JournalError as error:
        return error.remedy


def test_a_damaged_page_is_told_and_nothing_is_deleted(path, keep, make_repair):
    journal = Journal.open(path)
    for number in range(30):
        keep(journal, make_repair(number, message=f"failure {number} " * 200))
    journal.close()
    content = bytearray(path.read_bytes())
    for start in range(4096, len(content), 8192):
        content[start : start + 2048] = b"\xaa" * 2048
    path.write_bytes(content)
    assert _trouble(path)
    assert path.stat().st_size == len(content)


def test_another_programs_database_is_refused_and_left_alone(path):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
        other.commit()
    content = path.read_bytes()
    with pytest.raises(JournalError, match="not a journal"):
        Journal.open(path)
    assert path.read_bytes() == content
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]


def test_a_newer_schema_is_refused_and_left_alone(path):
    connect(path, NEXT).close()
    content = path.read_bytes()
    with pytest.raises(JournalError, match=rf"schema {len(NEXT)}") as caught:
        Journal.open(path)
    assert "newer suture" in caught.value.remedy
    assert path.read_bytes() == content


def test_a_migration_keeps_the_records_and_a_copy_of_the_old_file(path, keep, make_repair):
    journal = Journal.open(path)
    identifier = keep(journal, make_repair())
    journal.close()
    with closing(connect(path, NEXT)) as connection:
        assert version_of(connection) == len(NEXT)
        assert connection.execute("SELECT note FROM runs").fetchall() == [("none",)]
        assert connection.execute("SELECT id FROM episodes").fetchall() == [(identifier,)]
    copy = backup_of(path, len(MIGRATIONS))
    assert mode(copy) == 0o600
    old = Journal(copy, "full", connect(copy))
    assert queries.show(old, identifier).line.id == identifier
    old.close()
    assert not list(path.parent.glob("*.tmp"))


def test_a_migration_that_fails_changes_nothing(path, keep, make_repair):
    journal = Journal.open(path)
    keep(journal, make_repair())
    journal.close()
    with pytest.raises(JournalError):
        connect(path, (*NEXT, ("CREATE TABLE runs (x)",)))
    again = Journal.open(path)
    assert queries.stats(again).db_schema == len(MIGRATIONS)
    assert queries.stats(again).episodes == 1
    again.close()


def test_migrating_twice_does_nothing_more(path):
    with closing(connect(path)) as connection:
        migrate(connection)
        assert version_of(connection) == len(MIGRATIONS)
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION,)


OPEN = "import sys; from pathlib import Path; from suture_agent.journal.store import Journal; Journal.open(Path(sys.argv[1])).close()"
OPEN_OR_SAY = f"""
from suture_agent.errors import JournalError
try:
    exec({OPEN!r})
except JournalError as error:
    print(error, '|', error.remedy)
    raise SystemExit(7)
"""


def test_a_read_only_folder_is_told_with_a_remedy(path):
    Journal.open(path).close()
    command = [find(), "--dev-bind", "/", "/", "--ro-bind", str(path.parent), str(path.parent), sys.executable, "-c", OPEN_OR_SAY]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert "journal.level = 'off'" in done.stdout


def test_a_folder_that_cannot_be_made_is_told_with_a_remedy(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JournalError) as caught:
        Journal.open(tmp_path / "file" / "journal.sqlite3")
    assert "journal.path" in caught.value.remedy


def test_many_may_open_a_new_journal_at_once(tmp_path):
    for turn in range(10):
        path = tmp_path / str(turn) / "journal.sqlite3"
        with ThreadPoolExecutor(8) as pool:
            versions = list(pool.map(lambda _, path=path: _opened_version(path), range(8)))
        assert versions == [len(MIGRATIONS)] * 8


def _opened_version(path: Path) -> int:
    with closing(connect(path)) as connection:
        return version_of(connection)
