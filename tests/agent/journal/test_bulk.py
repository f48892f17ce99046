"""Reading in bulk: what is chosen, in order and in pages, without a way to write; damage is told."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.errors import JournalError
from suture_agent.harness import PRESETS
from suture_agent.journal import bulk, queries
from suture_agent.journal.blobs import get
from suture_agent.journal.bulk import Choice, Reader, named
from suture_agent.journal.entries import episode_entry, run_entry
from suture_agent.journal.store import Journal
from suture_agent.journal.stored import StoredTurns
from suture_agent.journal.talks import talks_of
from suture_agent.meter import Turn
from suture_agent.pipelines import Course, OuterStep
from suture_agent.policies import ChatRequest, Completion, Message
from suture_agent.survival import Survival


@pytest.fixture
def reader(journal, path):
    with Reader(path) as opened:
        yield opened


def test_an_episode_is_what_show_shows(journal, reader, keep, make_repair):
    identifier = keep(journal, make_repair(1))
    (kept,) = reader.episodes(Choice())
    record = queries.show(journal, identifier)
    line = record.line
    assert (kept.id, kept.created, kept.outcome, kept.reason) == (line.id, line.created, line.outcome, line.reason)
    assert (kept.problem, kept.check, kept.policy_name, kept.adapter) == (line.problem, line.check, line.policy, record.adapter)
    assert (kept.environment, kept.harness, kept.steps) == (line.environment, line.harness, line.steps)
    assert (kept.prompt_tokens, kept.completion_tokens) == (line.prompt_tokens, line.completion_tokens)
    assert (kept.diff, kept.passed, kept.redacted) == (record.diff, True, False)
    assert kept.talks == talks_of(record.conversation)
    assert [edit.after for edit in reader.patch(kept.edits).edits] == ["def total(prices):\n    return sum(prices)\n"]


def test_steps_whose_edits_were_kept_are_conversations_of_their_own(journal, reader, keep, make_repair):
    step = OuterStep(check="tests", place="a.py:1", error="E", stage="tests", why="first", attempt=0, outcome="kept", turns=(0, 1))
    course = Course(
        steps=(step, msgspec.structs.replace(step, outcome="reverted"), msgspec.structs.replace(step, outcome="fixed", turns=(1, 2)))
    )
    judged = Turn(
        request=ChatRequest(messages=(Message(role="system", content="You judge."),)), completion=Completion(choices=()), by="judge"
    )
    done = make_repair(1)
    identifier = keep(journal, msgspec.structs.replace(done, course=course, turns=(*done.turns, judged)))
    (kept,) = reader.episodes(Choice())
    assert [[message.role for message in talk.messages] for talk in kept.talks] == [
        ["system", "user", "assistant", "tool"],
        ["system", "user"],
    ]
    assert [talk.request.choices[0].text for talk in kept.talks] == ["Done.", ""]
    assert kept.talks == talks_of(queries.show(journal, identifier).conversation, [(0, 1)])


def test_pages_give_each_episode_once_and_in_order(journal, reader, keep, make_repair, monkeypatch):
    monkeypatch.setattr(bulk, "PAGE", 3)
    wanted = [keep(journal, make_repair(number)) for number in range(10)]
    assert [kept.id for kept in reader.episodes(Choice())] == wanted
    assert [name for page in reader.identifiers(Choice()) for name in page] == wanted
    places = reader.places(Choice(), 4)
    assert places == (wanted[3], wanted[7], wanted[9])
    stretches = zip(["", *places], places, strict=False)
    found = [[kept.id for kept in reader.episodes(Choice(after=after, until=until))] for after, until in stretches]
    assert found == [wanted[:4], wanted[4:8], wanted[8:]]


def test_what_is_recorded_meanwhile_is_left_out(journal, reader, keep, make_repair, monkeypatch):
    monkeypatch.setattr(bulk, "PAGE", 2)
    wanted = [keep(journal, make_repair(number)) for number in range(5)]
    reading = reader.episodes(Choice())
    first = next(reading)
    keep(journal, make_repair(7))  # a reader in the middle holds no lock
    assert [first.id, *(kept.id for kept in reading)] == wanted


def test_choices(journal, reader, make_repair, environment, policy, workspace, tmp_path):
    run = run_entry(journal.identifier(), workspace, "full")
    other = msgspec.structs.replace(policy, name="teacher")
    for number, (who, preset, outcome) in enumerate([(policy, "agent", "fixed"), (other, "direct", "fixed"), (policy, "agent", "unfixed")]):
        journal.write_episode(run, episode_entry(make_repair(number, outcome=outcome), environment, who, PRESETS[preset], "full"))
    used = reader.used(Choice(outcome="fixed"))
    assert [(each.kind, each.name, each.episodes) for each in used] == [
        ("environment", "", 2),
        *sorted([("harness", "agent", 1), ("harness", "direct", 1)], key=lambda each: PRESETS[each[1]].identity),
        *[(each.kind, each.name, each.episodes) for each in used[3:]],
    ]
    assert next(each for each in used if each.name == "direct").fields["budgets"]["steps"] == 24

    def problems(**chosen):
        return [int(kept.problem) for kept in reader.episodes(Choice(**chosen))]

    assert problems(outcome="fixed") == [0, 1]
    assert problems(policies=named(used, "policy", ["teacher"])) == [1]
    assert problems(harnesses=named(used, "harness", [PRESETS["agent"].identity[:10]])) == [0, 2]
    assert problems(workspace=workspace) == [0, 1, 2]
    assert problems(workspace=tmp_path / "elsewhere") == []
    assert problems(since=4e9) == problems(before=1.0) == []
    assert reader.count(Choice(outcome="unfixed")) == 1
    with pytest.raises(queries.NoSuchRecord, match="no episode was made with the environment ffff"):
        named(used, "environment", ["ffff"])
    with pytest.raises(queries.NoSuchRecord, match="no episode"):
        named(used, "environment", [used[0].identity[:3]])  # too short to be meant


async def test_offers_come_with_their_episodes(journal, reader, keep, make_repair):
    decided, silent = keep(journal, make_repair(1)), keep(journal, make_repair(2))
    offer = journal.write_offer(decided, "action")
    journal.write_decision(offer, "accepted")
    journal.write_survival(offer, "30s", tokens=4, kept=3)
    journal.write_offer(silent, "action")
    (kept,) = reader.episodes(Choice(decided=True))
    assert (kept.id, [each.kind for each in kept.offers[0].decisions], kept.offers[0].survivals[0].kept) == (decided, ["accepted"], 3)
    assert [len(kept.offers) for kept in reader.episodes(Choice(offers=True))] == [1, 1]
    assert [len(kept.offers) for kept in reader.episodes(Choice())] == [0, 0]
    assert Survival(4, 3).kept == 3


def test_metadata_has_no_texts(path, make_repair, keep):
    journal = Journal.open(path, "metadata")
    keep(journal, make_repair(1))
    journal.close()
    with Reader(path) as reader:
        (kept,) = reader.episodes(Choice())
        assert (kept.talks, kept.diff, kept.edits, reader.patch(kept.edits)) == ((), None, None, None)
        assert [each.fields for each in reader.used(Choice())] == [None, None, None]


def test_a_reader_cannot_write(reader):
    with pytest.raises(JournalError, match="readonly"), reader.transaction() as connection:
        connection.execute("DELETE FROM episodes")


@pytest.mark.parametrize("column", ["turns", "diff"])
def test_a_damaged_blob_is_told(journal, reader, keep, make_repair, column):
    keep(journal, make_repair(1))
    table = "episodes" if column == "turns" else "patches"
    with journal.writing() as connection:
        (name,) = connection.execute(f"SELECT {column} FROM {table}").fetchone()
        assert get(connection, name, StoredTurns if column == "turns" else str)
        connection.execute("UPDATE blobs SET data = (SELECT data FROM blobs WHERE hash <> ? LIMIT 1) WHERE hash = ?", (name, name))
    with pytest.raises(JournalError, match="damaged"):
        list(reader.episodes(Choice()))
