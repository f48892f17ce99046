"""The recorder of a run: durable on return, resumes, remembers, and is opened as the settings say."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from suture_agent.errors import JournalError
from suture_agent.harness import PRESETS
from suture_agent.journal import queries
from suture_agent.journal.store import Journal
from suture_agent.record import JournalRecorder, NoRecorder, Recorder
from suture_agent.settings import Loaded, Settings
from suture_agent.settings.records import JournalSettings
from suture_agent.workspace import Workspace, open_journal
from suture_sandbox.memory import MemoryBackend
from suture_sandbox.sandbox import Sandbox

HARNESS = PRESETS["agent"]


@pytest.fixture
def opened(workspace, environment) -> Callable[[JournalSettings], Workspace]:
    def make(settings: JournalSettings) -> Workspace:
        loaded = Loaded(settings=Settings(journal=settings), origins={})
        return Workspace(root=workspace, loaded=loaded, sandbox=Sandbox(MemoryBackend({}), environment), notes=())

    return make


async def test_what_was_acknowledged_can_be_read_by_another_connection(journal, path, make_repair, environment, policy, workspace):
    recorder = JournalRecorder(journal, environment, workspace)
    done = make_repair(1)
    await recorder.problem(done.problem)
    other = Journal.open(path)
    assert queries.stats(other).problems == 1
    await recorder.repair(done, policy, HARNESS)
    assert queries.show(other, done.problem.id).line.outcome == "fixed"
    assert queries.stats(other).runs == 1
    other.close()


async def test_a_later_run_finds_what_was_proven(path, make_repair, environment, policy, workspace):
    done = make_repair(1)
    first = Journal.open(path)
    await JournalRecorder(first, environment, workspace).repair(done, policy, HARNESS)
    first.close()
    second = Journal.open(path)
    recorder = JournalRecorder(second, environment, workspace)
    assert await recorder.proven(done.problem) == (done.patch,)
    assert await recorder.proven(make_repair(2).problem) == ()
    second.close()


async def test_recall_leaves_out_the_problem_that_is_worked_on(journal, make_repair, environment, policy, workspace):
    recorder = JournalRecorder(journal, environment, workspace)
    done = make_repair(1, message="warehouse is empty")
    await recorder.repair(done, policy, HARNESS)
    assert len(await recorder.recall("warehouse is empty")) == 1
    await recorder.problem(done.problem)
    assert await recorder.recall("warehouse is empty") == ()
    await recorder.repair(done, policy, HARNESS)
    (fix,) = await recorder.recall("warehouse is empty")
    assert "warehouse is empty" in fix.failure
    assert fix.diff.startswith("diff --git a/shop.py")


async def test_all_problems_of_a_run_share_its_record(journal, make_repair, environment, policy, workspace):
    recorder = JournalRecorder(journal, environment, workspace)
    for number in range(3):
        await recorder.repair(make_repair(number), policy, HARNESS)
    recorder.end()
    runs = {queries.show(journal, f"{number:012x}").run for number in range(3)}
    assert len(runs) == 1
    with journal.reading() as connection:
        ((started, ended),) = connection.execute("SELECT started, ended FROM runs").fetchall()
    assert ended >= started


@pytest.mark.parametrize("outcome", ["fixed", "unfixed", "infrastructure", "cancelled"])
async def test_every_outcome_is_kept(journal, make_repair, environment, policy, workspace, outcome):
    await JournalRecorder(journal, environment, workspace).repair(make_repair(outcome=outcome), policy, HARNESS)
    assert queries.stats(journal).outcomes == {outcome: 1}


def test_off_makes_no_file(opened, path):
    with open_journal(opened(JournalSettings(level="off", path=str(path)))) as recorder:
        assert isinstance(recorder, NoRecorder)
    assert not path.parent.exists()


@pytest.mark.parametrize("level", ["metadata", "full"])
async def test_the_settings_say_where_and_how_much(opened, path, make_repair, policy, level):
    with open_journal(opened(JournalSettings(level=level, path=str(path)))) as recorder:
        await recorder.repair(make_repair(1), policy, HARNESS)
    journal = Journal.open(path)
    record = queries.show(journal, "000000000001")
    journal.close()
    assert (record.diff is not None) == (level == "full")
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]


def test_the_default_place_is_the_users_data_folder(opened, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    with open_journal(opened(JournalSettings())):
        pass
    assert (tmp_path / "xdg" / "suture" / "journal.sqlite3").is_file()


def test_a_run_that_records_nothing_leaves_no_rows(opened, path):
    with open_journal(opened(JournalSettings(path=str(path)))):
        pass
    journal = Journal.open(path)
    assert queries.stats(journal).runs == 0
    journal.close()


def test_a_journal_that_cannot_be_opened_stops_the_run(opened, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(JournalError) as caught, open_journal(opened(JournalSettings(path=str(tmp_path / "file" / "journal")))):
        raise AssertionError("the run must not begin")
    assert "journal.level" in caught.value.remedy


async def test_the_journal_is_closed_when_the_run_fails(opened, path, make_repair, policy):
    async def broken_run() -> None:
        with open_journal(opened(JournalSettings(path=str(path)))) as recorder:
            held.append(recorder)
            await recorder.repair(make_repair(1), policy, HARNESS)
            raise ZeroDivisionError

    held: list[Recorder] = []
    with pytest.raises(ZeroDivisionError):
        await broken_run()
    with pytest.raises(JournalError):
        await held[0].recall("x")
    assert [each.name for each in path.parent.iterdir()] == [path.name]
