"""Maps of impact in the journal: replaced, bounded, without secrets, erased, and none where only metadata is kept."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from suture_agent.errors import JournalError
from suture_agent.harness import PRESETS
from suture_agent.impact.map import ImpactMap, Kept, MappedFile
from suture_agent.journal import erase, queries
from suture_agent.journal.entries import episode_entry, run_entry
from suture_agent.journal.files import backup_of, connect
from suture_agent.journal.impacts import MOST_OF_WORKSPACE, read_map, write_map
from suture_agent.journal.schema import MIGRATIONS
from suture_agent.journal.store import Journal
from suture_agent.record import JournalRecorder

SECRET = "ghp_" + "a1B2c3D4e5F6" * 3


def kept(*tests: str, created: float = 1000.0) -> Kept:
    files = (MappedFile("shop.py", "f" * 64, {3: (0, 0)}, (), ()), MappedFile(f"{SECRET}.py", "f" * 64, {}, (), (0,)))
    return Kept(map=ImpactMap(tests, (0,) * len(tests), files), seconds=2.0, created=created)


def rows(journal: Journal, table: str) -> int:
    with journal.reading() as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


async def test_a_map_is_found_by_workspace_environment_and_check(journal, path, environment, workspace):
    recorder = JournalRecorder(journal, environment, workspace)
    assert await recorder.impact("tests") is None
    await recorder.keep_impact("tests", kept("a", "b"))
    other = Journal.open(path)
    found = read_map(other, workspace, environment.identity, "tests")
    assert found is not None
    assert found.map.tests == ("a", "b")
    assert (found.seconds, found.created) == (2.0, 1000.0)
    assert read_map(other, workspace, environment.identity, "slow") is None
    assert read_map(other, workspace / "x", environment.identity, "tests") is None
    assert read_map(other, workspace, "other", "tests") is None
    assert queries.stats(other).maps == 1
    other.close()


def test_a_new_map_takes_the_place_of_the_old_one(journal, workspace):
    for number in range(3):
        write_map(journal, workspace, "e", "tests", kept(f"t{number}"))
    write_map(journal, workspace, "e", "slow", kept("t2"))  # the same blob
    assert (rows(journal, "impacts"), rows(journal, "blobs")) == (2, 1)
    write_map(journal, workspace, "e", "slow", kept("t3"))
    assert rows(journal, "blobs") == 2
    found = read_map(journal, workspace, "e", "tests")
    assert found is not None
    assert found.map.tests == ("t2",)
    assert journal.check() == ()


def test_the_oldest_make_room(journal, workspace):
    for number in range(MOST_OF_WORKSPACE + 3):
        write_map(journal, workspace, f"e{number}", "tests", kept(f"t{number}", created=float(number)))
    assert rows(journal, "impacts") == rows(journal, "blobs") == MOST_OF_WORKSPACE
    assert read_map(journal, workspace, "e0", "tests") is None
    assert read_map(journal, workspace, f"e{MOST_OF_WORKSPACE + 2}", "tests") is not None


def test_names_that_look_secret_are_taken_out(journal, path, workspace):
    write_map(journal, workspace, "e", "tests", kept("a", f"test_login[{SECRET}]"))
    found = read_map(journal, workspace, "e", "tests")
    assert found is not None
    assert found.map.named([0, 1]) == ("a",)
    assert [(file.path, file.hash) for file in found.map.files] == [("shop.py", "f" * 64), ("1", "")]


def test_where_only_metadata_is_kept_there_is_no_map(journal, path, workspace):
    metadata = Journal.open(path, "metadata")
    write_map(metadata, workspace, "e", "tests", kept("a"))
    assert rows(journal, "impacts") == rows(journal, "workspaces") == 0
    write_map(journal, workspace, "e", "tests", kept("a"))
    assert read_map(metadata, workspace, "e", "tests") is None
    metadata.close()


@pytest.mark.parametrize(
    ("choice", "left"), [({}, 0), ({"workspace": "here"}, 1), ({"before": 1500.0}, 1), ({"workspace": "here", "before": 500.0}, 2)]
)
def test_maps_are_erased_with_the_rest(journal, path, workspace, choice, left):
    write_map(journal, workspace, "e", "tests", kept("marked_here"))
    write_map(journal, workspace.parent, "e", "tests", kept("marked_there", created=2000.0))
    if "workspace" in choice:
        choice = {**choice, "workspace": workspace}
    assert erase.erase(journal, **choice).maps == 2 - left
    assert rows(journal, "impacts") == rows(journal, "blobs") == rows(journal, "workspaces") == left
    assert journal.check() == ()


def test_a_map_outlives_the_episodes_of_others(journal, workspace, make_repair, environment, policy):
    write_map(journal, workspace, "e", "tests", kept("a"))
    entry = episode_entry(make_repair(), environment, policy, PRESETS["agent"], "full")
    journal.write_episode(run_entry(journal.identifier(), workspace, "full"), entry)
    assert erase.erase(journal, workspace=workspace.parent).maps == 0
    assert read_map(journal, workspace, "e", "tests") is not None


def test_a_damaged_map_is_told(journal, workspace):
    write_map(journal, workspace, "e", "tests", kept("a"))
    with journal.writing() as connection:
        connection.execute("UPDATE blobs SET data = x'00'")
    with pytest.raises(JournalError):
        read_map(journal, workspace, "e", "tests")


def test_a_journal_of_the_version_before_gets_the_table(path, workspace):
    with closing(connect(path, MIGRATIONS[:3])) as old:
        old.execute("INSERT INTO workspaces (id, path) VALUES ('w', '/w')")
        with pytest.raises(sqlite3.OperationalError):
            old.execute("SELECT * FROM impacts")
    journal = Journal.open(path)
    write_map(journal, workspace, "e", "tests", kept("a"))
    assert rows(journal, "workspaces") == 2
    assert backup_of(path, 3).is_file()
    journal.close()
