"""What goes into the journal comes out of it; levels, ranks, recall, offers and decisions."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import msgspec
import pytest

from suture_agent.errors import JournalError
from suture_agent.harness import PRESETS
from suture_agent.journal import blobs, erase, queries
from suture_agent.journal.entries import patch_entry, problem_entry, run_entry, workspace_id
from suture_agent.journal.identifiers import ALPHABET, LENGTH, Identifiers
from suture_agent.journal.store import Journal
from suture_sandbox.identity import identity_of
from suture_sandbox.patch import FileEdit, Patch

KEY = "AKIAIOSFODNN7QRSTUVW"


def test_a_repair_comes_back_whole(journal, keep, make_repair, environment, policy, workspace):
    identifier = keep(journal, make_repair(1, reason="because"))
    record = queries.show(journal, identifier)
    assert record.line.id == identifier
    assert record.line.problem == "000000000001"
    assert (record.line.check, record.line.outcome, record.line.reason) == ("tests", "fixed", "because")
    assert (record.line.steps, record.line.prompt_tokens, record.line.completion_tokens) == (2, 60, 7)
    assert (record.line.files, record.line.added, record.line.removed) == (1, 1, 1)
    assert record.line.workspace == str(workspace)
    assert (record.line.environment, record.line.harness) == (environment.identity, PRESETS["agent"].identity)
    assert record.adapter == "a" * 64
    assert set(record.versions) == {"suture", "python", "engine"}
    assert record.versions["engine"] == "scripted 1"
    assert record.fields["environment"]["fields"]["os"] == {"id": "debian"}
    assert record.fields["policy"]["identity"] == identity_of(policy)
    assert record.verdict["passed"] is True
    assert record.verdict["reruns"] == 3
    assert record.findings[0]["message"] == "assert 9 == 10"
    assert "+    return sum(prices)\n" in (record.diff or "")
    assert not record.redacted


def test_every_turn_comes_back_and_each_message_is_kept_once(journal, keep, make_repair):
    done = make_repair()
    conversation = queries.show(journal, keep(journal, done)).conversation
    assert conversation is not None
    assert len(conversation.messages) == 4
    assert len(conversation.tools) == 1
    for kept, turn in zip(conversation.turns, done.turns, strict=True):
        assert tuple(conversation.messages[index] for index in kept.messages) == turn.request.messages
        assert tuple(conversation.tools[index] for index in kept.tools) == turn.request.tools
        assert kept.choices == turn.completion.choices
        assert (kept.prompt_tokens, kept.completion_tokens) == (turn.completion.prompt_tokens, turn.completion.completion_tokens)
        assert kept.seed == 3


def test_equal_content_is_kept_once(journal, keep, make_repair):
    keep(journal, make_repair())
    with journal.reading() as connection:
        (first,) = connection.execute("SELECT count(*) FROM blobs").fetchone()
    keep(journal, make_repair())
    with journal.reading() as connection:
        (second,) = connection.execute("SELECT count(*) FROM blobs").fetchone()
        (identities,) = connection.execute("SELECT count(*) FROM identities").fetchone()
        (problems,) = connection.execute("SELECT count(*) FROM problems").fetchone()
    assert first == second
    assert (identities, problems) == (3, 1)


def test_metadata_holds_no_text_and_no_path(path, keep, make_repair, workspace):
    journal = Journal.open(path, "metadata")
    try:
        identifier = keep(journal, make_repair(message="secretmessage", note="secretnote", reason="tests/test_shop.py::x still fails"))
        record = queries.show(journal, identifier)
        assert record.conversation is None
        assert record.diff is None
        assert record.findings is None
        assert record.verdict is None
        assert record.fields["environment"]["fields"] is None
        assert record.line.reason == ""
        assert record.line.workspace == workspace_id(workspace)
        assert (record.line.files, record.line.added, record.line.prompt_tokens) == (1, 1, 60)
        assert queries.proven(journal, "0" * 12, record.line.environment) == ()
        assert queries.recall(journal, "AssertionError assert") == ()
        with journal.reading() as connection:
            assert connection.execute("SELECT count(*) FROM blobs").fetchone() == (0,)
            dump = "\n".join(connection.iterdump())
    finally:
        journal.close()
    for text in ("secretmessage", "secretnote", "shop.py", str(workspace), "sum(prices)"):
        assert text not in dump


def test_full_after_metadata_adds_what_was_left_out(path, keep, make_repair):
    journal = Journal.open(path, "metadata")
    keep(journal, make_repair())
    journal.level = "full"
    record = queries.show(journal, keep(journal, make_repair()))
    journal.close()
    assert record.findings is not None
    assert record.fields["harness"]["fields"]["preset"] == "agent"


def test_secrets_do_not_reach_the_file(path, keep, make_repair):
    journal = Journal.open(path)
    keep(journal, make_repair(message=f"key {KEY}", note=f"key {KEY}", reason=f"key {KEY}", after=f"K = '{KEY}'\n".encode()))
    with journal.reading() as connection:
        names = connection.execute("SELECT hash FROM blobs").fetchall()
        unpacked = [msgspec.json.encode(blobs.get(connection, name, object)) for (name,) in names]
        dump = "\n".join(connection.iterdump())
    journal.close()
    assert unpacked
    assert not any(KEY.encode() in content for content in unpacked)
    assert KEY not in dump
    assert any(b"[redacted:aws-key]" in content for content in unpacked)


def test_a_redacted_patch_is_shown_but_never_applied_again(journal, keep, make_repair, environment):
    identifier = keep(journal, make_repair(after=f"K = '{KEY}'\n".encode()))
    record = queries.show(journal, identifier)
    assert record.redacted
    assert "[redacted:aws-key]" in (record.diff or "")
    assert queries.proven(journal, "0" * 12, environment.identity) == ()


@pytest.mark.parametrize("after", [b"\xff\xfe\0binary", None, b"", b"\xef\xbb\xbfx = 1\r\n", "e\u0301\U0001f600\n".encode()])
def test_proven_gives_back_the_exact_patch_or_none(journal, keep, make_repair, environment, after):
    done = make_repair(after=after)
    keep(journal, done)
    found = queries.proven(journal, "0" * 12, environment.identity)
    assert found == (() if after is not None and b"\xff" in after[:1] else (done.patch,))


def test_proven_is_newest_first_each_once_and_only_of_that_environment(journal, keep, make_repair, environment):
    keep(journal, make_repair(after=b"old\n"))
    keep(journal, make_repair(after=b"new\n"))
    keep(journal, make_repair(after=b"old\n"))
    keep(journal, make_repair(after=b"refused\n", passed=False, outcome="fixed"))
    keep(journal, make_repair(7, after=b"other\n"))
    found = queries.proven(journal, "0" * 12, environment.identity)
    assert [patch.edits[0].after for patch in found] == [b"old\n", b"new\n"]
    assert queries.proven(journal, "0" * 12, "another") == ()


def test_recall_ranks_by_similarity_and_prefers_the_newest_among_equals(journal, keep, make_repair):
    keep(journal, make_repair(1, message="KeyError: warehouse stock missing", after=b"one\n"))
    keep(journal, make_repair(2, message="TypeError: unsupported operand", after=b"two\n"))
    keep(journal, make_repair(3, message="TypeError: unsupported operand", after=b"two\n"))
    keep(journal, make_repair(4, message="TypeError: unsupported operand", after=b"2wo\n"))
    found = queries.recall(journal, "TypeError: unsupported operand type for +", 3)
    assert "2wo" in found[0].diff
    assert "two" in found[1].diff
    assert len({fix.diff for fix in found}) == len(found)
    best = queries.recall(journal, "warehouse stock", 1)
    assert len(best) == 1
    assert "KeyError" in best[0].failure
    assert queries.recall(journal, "warehouse", without={"000000000001"}) == ()


def test_recall_never_gives_a_patch_that_was_not_proven(journal, keep, make_repair):
    keep(journal, make_repair(1, message="warehouse", passed=False))
    keep(journal, make_repair(2, message="warehouse", outcome="unfixed"))
    assert queries.recall(journal, "warehouse") == ()


@pytest.mark.parametrize(
    "query", ["", "   ", '"', '" OR 1', "NEAR(", "a* ^b -c", "\0", "col:x", "\ud800 x", "__ __", "x" * 100_000, "%_';--"]
)
def test_recall_takes_any_text(journal, keep, make_repair, query):
    keep(journal, make_repair())
    assert isinstance(queries.recall(journal, query), tuple)
    assert queries.recall(journal, "assert", 0) == ()


def test_lone_surrogates_and_nul_are_kept_as_text(journal, keep, make_repair):
    record = queries.show(journal, keep(journal, make_repair(message="a\ud800b\0c", note="\udfff", reason="\ud800")))
    assert record.findings[0]["message"] == "a?b\0c"
    assert record.line.reason == "?"


def test_stats_count(journal, keep, make_repair, environment):
    keep(journal, make_repair(1))
    keep(journal, make_repair(2, outcome="unfixed"))
    keep(journal, make_repair(2, outcome="cancelled"))
    found = queries.stats(journal)
    assert (found.problems, found.episodes, found.runs) == (2, 3, 3)
    assert found.outcomes == {"fixed": 1, "unfixed": 1, "cancelled": 1}
    assert found.checks == {"tests": 3}
    assert found.policies == {"played": 3}
    assert found.environments == {environment.identity: 3}
    assert (found.prompt_tokens, found.completion_tokens, found.seconds) == (180, 21, 3.75)
    assert found.bytes_on_disk > found.bytes_unpacked > 0
    assert journal.check() == ()


def test_list_is_newest_first_and_can_be_narrowed(journal, keep, make_repair, workspace):
    first = keep(journal, make_repair(1))
    second = keep(journal, make_repair(2, outcome="unfixed"))
    assert [line.id for line in queries.recent(journal)] == [second, first]
    assert [line.id for line in queries.recent(journal, limit=1)] == [second]
    assert [line.id for line in queries.recent(journal, outcome="fixed")] == [first]
    assert [line.id for line in queries.recent(journal, workspace=workspace, check="tests")] == [second, first]
    assert queries.recent(journal, workspace=workspace / "other") == ()
    assert queries.recent(journal, check="types") == ()


def test_show_takes_a_unique_beginning(journal, keep, make_repair):
    first = keep(journal, make_repair(0xA1))
    newest = keep(journal, make_repair(0xB1))
    assert queries.show(journal, newest).line.id == newest
    assert queries.show(journal, "0000000000a").line.id == first
    with pytest.raises(JournalError, match="several"):
        queries.show(journal, "0")
    for wrong in ("zzzz", "", "%", "06' OR 1"):
        with pytest.raises(JournalError) as caught:
            queries.show(journal, wrong)
        assert caught.value.remedy


def test_show_by_problem_means_its_newest_episode(journal, keep, make_repair):
    keep(journal, make_repair(0xF, outcome="unfixed"))
    newest = keep(journal, make_repair(0xF))
    assert queries.show(journal, "00000000000f").line.id == newest


def test_an_offer_needs_a_passed_verdict(journal, keep, make_repair):
    refused = keep(journal, make_repair(1, outcome="unfixed"))
    with pytest.raises(JournalError):
        journal.write_offer(refused, "action")
    with pytest.raises(JournalError):
        journal.write_offer("nothing", "action")


def test_offers_and_decisions_are_kept_in_order(journal, keep, make_repair, workspace):
    episode = keep(journal, make_repair(1))
    offer = journal.write_offer(episode, "action")
    mine = patch_entry(Patch((FileEdit(path="shop.py", before=b"a", after=b"b"),)), "full")
    journal.write_decision(offer, "accepted_with_edits", mine)
    journal.write_decision(offer, "reverted")
    (kept,) = queries.show(journal, episode).offers
    assert kept.id == offer
    assert [decision.kind for decision in kept.decisions] == ["accepted_with_edits", "reverted"]
    assert kept.decisions[0].edits is not None
    assert kept.decisions[0].edits.patch().edits[0].after == b"b"
    assert queries.stats(journal).decisions == {"accepted_with_edits": 1, "reverted": 1}
    with pytest.raises(JournalError):
        journal.write_decision("nothing", "accepted")
    with pytest.raises(JournalError):
        journal.write_decision(offer, "liked")


def test_survival_is_kept_apart_from_decisions_and_measured_again(journal, keep, make_repair):
    episode = keep(journal, make_repair(1))
    offer = journal.write_offer(episode, "action")
    journal.write_decision(offer, "accepted")
    journal.write_survival(offer, "save", tokens=12, kept=12)
    journal.write_survival(offer, "30s", tokens=12, kept=12)
    journal.write_survival(offer, "30s", tokens=12, kept=9)
    (kept,) = queries.show(journal, episode).offers
    assert sorted((each.moment, each.tokens, each.kept) for each in kept.survivals) == [("30s", 12, 9), ("save", 12, 12)]
    assert [decision.kind for decision in kept.decisions] == ["accepted"]
    for wrong in ({"offer": "nothing"}, {"moment": "1s"}, {"kept": 13}, {"kept": -1}):
        with pytest.raises(JournalError):
            journal.write_survival(**{"offer": offer, "moment": "commit", "tokens": 12, "kept": 1, **wrong})
    erase.erase(journal)
    with journal.reading() as connection:
        assert connection.execute("SELECT count(*) FROM survivals").fetchone() == (0,)


def test_a_failed_write_leaves_nothing_half_done(journal, keep, make_repair):
    done = make_repair(outcome="strange")
    with pytest.raises(JournalError):
        keep(journal, done)
    assert queries.stats(journal).problems == 0
    keep(journal, make_repair())
    assert queries.stats(journal).episodes == 1


def test_a_problem_is_there_before_its_episode(journal, make_repair, environment, workspace):
    run = run_entry(journal.identifier(), workspace, "full")
    journal.write_problem(run, problem_entry(make_repair().problem, environment, "full"))
    found = queries.stats(journal)
    assert (found.problems, found.episodes, found.runs) == (1, 0, 1)


def test_a_damaged_blob_is_noticed(journal, keep, make_repair):
    identifier = keep(journal, make_repair())
    for change in ("data = zeroblob(20)", "size = size - 1", "size = -1", "data = x''"):
        with journal.writing() as connection:
            before = connection.execute("SELECT hash, data, size FROM blobs").fetchall()
            connection.execute(f"UPDATE blobs SET {change}")
        with pytest.raises(JournalError, match="damaged") as caught:
            queries.show(journal, identifier)
        assert caught.value.remedy
        with journal.writing() as connection:
            connection.executemany("UPDATE blobs SET data = ?2, size = ?3 WHERE hash = ?1", before)
    assert queries.show(journal, identifier).line.id == identifier


def test_identifiers_grow_and_are_unique():
    maker = Identifiers()
    made = [maker.new() for _ in range(5000)]
    assert made == sorted(set(made))
    assert all(len(each) == LENGTH and set(each) <= set(ALPHABET) for each in made)
    later = Identifiers()
    time.sleep(0.002)
    assert later.new() > made[0][:10]


def test_erase_takes_everything_out_of_the_file(path, keep, make_repair, workspace):
    journal = Journal.open(path)
    keep(journal, make_repair(1, message="unmistakable warehouse failure"))
    backup = path.with_name(path.name + ".schema1.bak")
    backup.write_text("old")
    found = erase.erase(journal)
    assert (found.episodes, found.problems, found.backups) == (1, 1, 1)
    left = queries.stats(journal)
    assert (left.episodes, left.problems, left.runs, left.bytes_unpacked) == (0, 0, 0, 0)
    with journal.reading() as connection:
        for table in ("identities", "workspaces", "patches", "verdicts", "blobs", "fixes", "origins"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
    files = [each.read_bytes() for each in path.parent.iterdir()]
    journal.close()
    assert not backup.exists()
    for text in (b"unmistakable", b"warehouse", bytes(workspace), b"000000000001"):
        assert not any(text in content for content in files)


def test_erase_by_workspace_and_time_leaves_the_rest(journal, keep, make_repair, workspace, environment):
    first = keep(journal, make_repair(1))
    assert erase.count(journal, workspace=workspace / "other") == 0
    assert erase.erase(journal, workspace=workspace / "other").episodes == 0
    middle = time.time() + 0.01
    time.sleep(0.02)
    second = keep(journal, make_repair(2, message="second failure"))
    assert erase.count(journal, before=middle) == 1
    assert erase.erase(journal, workspace=workspace, before=middle).episodes == 1
    assert [line.id for line in queries.recent(journal)] == [second]
    assert queries.show(journal, second).conversation is not None
    assert len(queries.proven(journal, f"{2:012x}", environment.identity)) == 1
    assert len(queries.recall(journal, "second")) == 1
    with pytest.raises(JournalError):
        queries.show(journal, first)
    assert journal.check() == ()


def test_a_run_goes_on_after_its_record_was_erased(journal, make_repair, environment, policy, workspace):
    from suture_agent.journal.entries import episode_entry

    run = run_entry(journal.identifier(), workspace, "full")
    done = make_repair()
    journal.write_problem(run, problem_entry(done.problem, environment, "full"))
    erase.erase(journal)
    journal.write_episode(run, episode_entry(done, environment, policy, PRESETS["agent"], "full"))
    assert queries.stats(journal).episodes == 1
    assert journal.check() == ()


def test_erasing_knows_every_column_that_names_a_blob(journal):
    with journal.reading() as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found = {
            (table, row[3]) for table in tables for row in connection.execute(f"PRAGMA foreign_key_list({table})") if row[2] == "blobs"
        }
    assert found == set(erase.REFERENCES)


def test_every_table_is_strict(journal):
    with journal.reading() as connection:
        loose = [row[1] for row in connection.execute("PRAGMA table_list") if row[2] == "table" and not row[5]]
    assert [name for name in loose if not name.startswith(("sqlite_", "fixes"))] == []


def test_settings_of_the_connection(journal):
    with journal.alone() as connection:
        values = {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous", "foreign_keys")}
        waits = connection.execute("PRAGMA busy_timeout").fetchone()[0]
        assert connection.execute("PRAGMA secure_delete").fetchone()[0] == 1
    assert values == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
    assert waits >= 5000


def test_a_closed_journal_says_so(path: Path):
    journal = Journal.open(path)
    journal.close()
    journal.close()
    with pytest.raises(JournalError):
        queries.stats(journal)
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone() == ("ok",)
