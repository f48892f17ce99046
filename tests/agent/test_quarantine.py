"""Reproduce or drop, and the quarantine: what passed unchanged is dropped and counted, what is known to be flaky decides nothing."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import msgspec
import pytest

from suture_agent.batch import Options, fix_workspace
from suture_agent.events import ProblemDropped
from suture_agent.journal import erase, quarantine, queries
from suture_agent.journal.store import Journal
from suture_agent.problem import problems_in
from suture_agent.quarantine import DAY, Quarantined, entries, file_hash, merged, name_hash, still_known
from suture_agent.record import JournalRecorder, NoRecorder
from suture_agent.reproduce import reproduce
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.flaky.statistics import FlakyTest
from suture_sandbox.snapshot import Snapshot

TEST = "tests.txt::a"
SEEN = FlakyTest(check="tests", test=TEST, kind="order", by={"plain": (3, 0), "reversed order": (3, 3)})


def entry_of(snapshot: Snapshot, **changes: object) -> Quarantined:
    (made,) = entries(snapshot, [SEEN])
    return msgspec.structs.replace(made, **changes)


async def test_failure_must_show_as_often_as_asked(snapshot_of, problem_of, sandbox, tools):
    problem = await problem_of(snapshot_of({"a": "needs one.py right"}))
    tools.runs.clear()
    assert (await reproduce(problem, sandbox, 4)).dropped == ""
    assert tools.runs == [("a",)] * 3
    assert (await reproduce(problem, sandbox, 1)).dropped == ""
    assert len(tools.runs) == 3


async def test_what_passes_unchanged_is_dropped_with_what_was_seen(snapshot_of, problem_of, sandbox):
    found = await reproduce(await problem_of(snapshot_of({"a": "once"})), sandbox)
    assert (found.dropped, found.reason) == ("passed", "it passed unchanged when it was run again: flaky")
    assert [(each.test, each.by) for each in found.flaky] == [(TEST, {"plain": (2, 1)})]


async def test_what_is_known_to_be_flaky_is_dropped_without_a_run(snapshot_of, problem_of, sandbox, tools):
    problem = await problem_of(snapshot_of({"a": "needs one.py right"}))
    tools.runs.clear()
    found = await reproduce(msgspec.structs.replace(problem, flaky={"tests": (TEST,)}), sandbox)
    assert (found.dropped, tools.runs) == ("flaky", [])
    assert TEST in found.reason


@pytest.fixture(params=["journal", "memory"])
def recorder(request, kept, sandbox, tmp_path):
    if request.param == "memory":
        return NoRecorder()
    return kept.recorder(sandbox, Snapshot(tmp_path / "shop"))


async def test_dropped_and_flaky_failures_are_counted_and_known_the_next_time(snapshot_of, play, sandbox, recorder, told):
    snapshot = snapshot_of({"a": "once", "b": "needs one.py right"})
    policy = play.policy(play.mends("b", "one.py"))
    summary = await fix_workspace(snapshot, sandbox, policy, recorder, told, Options())
    assert (summary.problems, summary.fixed, summary.dropped, summary.flaky) == (1, 1, 1, 0)
    # the test fails again, for good: it is in quarantine, and nobody works on it
    snapshot.root.joinpath("one.py").write_text("x = right\n")
    again = snapshot.with_edits({"other.txt": b""})
    results = [msgspec.structs.replace(each) for each in await sandbox.check_all(again)]
    assert await recorder.known_flaky(again, results) == {"tests": (TEST,)}
    sandbox.backend._programs["testtool"] = failing_tool
    told.events.clear()
    summary = await fix_workspace(again, sandbox, play.policy(), recorder, told, Options())
    assert (summary.problems, summary.dropped, summary.flaky) == (0, 0, 1)
    assert "known to be flaky" in told.of(ProblemDropped)[0].reason


async def failing_tool(view, argv):
    view.write(argv[0], b'<testsuites><testsuite><testcase file="tests.txt" name="a"><failure/></testcase></testsuite></testsuites>')
    return 1


async def test_entry_expires_by_days_and_when_the_tests_file_changes(snapshot_of, sandbox):
    snapshot = snapshot_of({"a": "pass"})
    results = await sandbox.check_all(snapshot)
    entry = entry_of(snapshot)
    assert still_known([entry], snapshot, results, 14) == {"tests": (TEST,)}
    assert still_known([msgspec.structs.replace(entry, last_seen=time.time() - 15 * DAY)], snapshot, results, 14) == {}
    assert still_known([entry], snapshot, results, 0) == {}
    assert still_known([msgspec.structs.replace(entry, check="lint")], snapshot, results, 14) == {}
    changed = snapshot.with_edits({"tests.txt": b"a: pass\n\n"})
    assert still_known([entry], changed, results, 14) == {}


def test_what_is_seen_again_is_added_up_unless_the_text_is_another(tmp_path):
    (tmp_path / "tests.txt").write_text("a: pass\n")
    old = entry_of(Snapshot(tmp_path), first_seen=1.0, test=None)
    new = entry_of(Snapshot(tmp_path), by={"plain": (2, 1)}, kind="randomness")
    both = merged(old, new)
    assert (dict(both.by), both.first_seen, both.test) == ({"plain": (5, 1), "reversed order": (3, 3)}, 1.0, TEST)
    assert (both.runs, both.failures, both.kind) == (8, 4, "order")  # what was seen more often says more
    assert merged(msgspec.structs.replace(old, file_hash="other"), new) == new
    assert merged(None, new) == new


def recorder_of(path: Path, root: Path, level: str = "full", **fields: object) -> tuple[Journal, JournalRecorder]:
    environment = Environment(EnvironmentFields(**fields), Runtime(python="p", search_path=(), readonly=()))
    journal = Journal.open(path, level)
    return journal, JournalRecorder(journal, environment, root)


@pytest.fixture
def shop(tmp_path) -> Path:
    root = tmp_path / "shop"
    root.mkdir()
    (root / "tests.txt").write_text("a: pass\n")
    return root


async def test_quarantine_is_one_of_an_environment_and_a_workspace(tmp_path, shop, sandbox):
    snapshot, results = Snapshot(shop), await sandbox.check_all(Snapshot(shop))
    journal, recorder = recorder_of(tmp_path / "j", shop)
    await recorder.flaky(snapshot, [SEEN])
    await recorder.flaky(snapshot, [SEEN])
    (listed,) = quarantine.listed(journal)
    assert (listed.test.test, listed.test.runs, listed.test.failures, listed.workspace) == (TEST, 12, 6, str(shop))
    assert await recorder.known_flaky(snapshot, results) == {"tests": (TEST,)}
    journal.close()
    for root, fields in ((shop, {"os": {"id": "other"}}), (tmp_path, {})):
        journal, recorder = recorder_of(tmp_path / "j", root, **fields)
        assert await recorder.known_flaky(snapshot, results) == {}
        journal.close()


@pytest.mark.parametrize(("level", "excluded"), [("metadata", {}), ("full", {"excluded": "tests.txt"})])
async def test_name_of_a_test_is_not_kept_where_names_are_not_and_it_is_known_all_the_same(tmp_path, shop, sandbox, level, excluded):
    snapshot, results = Snapshot(shop), await sandbox.check_all(Snapshot(shop))
    journal, recorder = recorder_of(tmp_path / "j", shop, level, isolation=excluded)
    await recorder.flaky(snapshot, [SEEN])
    assert await recorder.known_flaky(snapshot, results) == {"tests": (TEST,)}
    (listed,) = quarantine.listed(journal)
    assert (listed.test.test, listed.test.test_hash) == (None, name_hash(TEST))
    with journal.reading() as connection:
        assert not [row for row in connection.execute("SELECT * FROM flaky_tests") if any("tests.txt" in str(value) for value in row)]
    journal.close()


async def test_quarantine_and_counts_are_in_the_stats_and_are_erased(tmp_path, shop, snapshot_of, sandbox):
    journal, recorder = recorder_of(tmp_path / "j", shop)
    (shop / "bad.py").write_text("bad\n")
    (problem, *_) = problems_in(Snapshot(shop), await sandbox.check_all(Snapshot(shop)), only=("lint",))
    await recorder.flaky(Snapshot(shop), [SEEN])
    await recorder.dropped(problem, "passed")
    await recorder.dropped(problem, "mended")
    found = queries.stats(journal)
    assert (found.flaky, found.dropped) == ({"order": 1}, {"mended": 1, "passed": 1})
    assert erase.erase(journal, workspace=tmp_path).flaky == 0
    assert erase.erase(journal, before=time.time() - 60).flaky == 0
    assert erase.erase(journal, workspace=shop).flaky == 1
    found = queries.stats(journal)
    assert (found.flaky, found.dropped, journal.check()) == ({}, {}, ())
    assert quarantine.listed(journal) == ()
    with journal.reading() as connection:
        assert connection.execute("SELECT count(*) FROM workspaces").fetchone() == (0,)
    journal.close()


def test_the_code_of_a_test_is_its_file_the_conftests_above_it_and_the_test_code_they_import(tmp_path):
    files = {
        "conftest.py": "from tests.plugins import clock\n",
        "tests/plugins/clock.py": "NOW = 1\n",
        "tests/unit/conftest.py": "",
        "tests/unit/helpers.py": "from shop import total\n",
        "tests/unit/test_shop.py": "import helpers\nfrom shop import total\n\n\ndef test_total():\n    assert total([1]) == 1\n",
        "tests/unit/test_other.py": "",
        "tests/other/conftest.py": "",
        "shop.py": "def total(prices):\n    return sum(prices)\n",
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    snapshot, test = Snapshot(tmp_path), "tests/unit/test_shop.py::test_total"
    before = file_hash(snapshot, test)
    mattering = {path for path in files if file_hash(snapshot.with_edits({path: b"X = 2\n"}), test) != before}
    assert mattering == {
        "conftest.py",
        "tests/plugins/clock.py",
        "tests/unit/conftest.py",
        "tests/unit/helpers.py",
        "tests/unit/test_shop.py",
    }
    assert file_hash(snapshot.with_edits({"tests/conftest.py": b""}), test) != before  # a new one
    # alone, a test is known by its file's own hash, as entries of older versions have it
    (tmp_path / "conftest.py").unlink()
    assert file_hash(snapshot, "shop.py::test") == hashlib.sha256(files["shop.py"].encode()).hexdigest()
    assert file_hash(snapshot, "nowhere.py::test") == ""
