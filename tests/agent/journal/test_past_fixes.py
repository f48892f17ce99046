"""Recall: ranked by signature and code, kept from what is held out, redacted, erased, and nothing at all at the level `metadata`."""

from __future__ import annotations

import msgspec
import pytest

from suture_agent.harness import PRESETS
from suture_agent.journal import erase, queries
from suture_agent.journal.entries import Origin, episode_entry, run_entry
from suture_agent.journal.files import connect
from suture_agent.journal.past_fixes import recall
from suture_agent.journal.schema import MIGRATIONS
from suture_agent.journal.store import Journal
from suture_agent.recall import HeldOut, PastFix, bound, cached, label, no_recall

KEY = "AKIAIOSFODNN7QRSTUVW"


@pytest.fixture
def keep_from(environment, policy, journal):
    """Write a repair as one of a repository and a task."""

    def write(done, *, repository: str = "", task: str = "", to: Journal | None = None) -> str:
        kept = to or journal
        run = run_entry(kept.identifier(), done.problem.snapshot.root, kept.level)
        origin = Origin(repository=repository, task=task)
        return kept.write_episode(run, episode_entry(done, environment, policy, PRESETS["agent"], kept.level, origin=origin))

    return write


def words(fixes: tuple[PastFix, ...]) -> list[str]:
    return [fix.failure.partition(": ")[2].partition("\n")[0] for fix in fixes]


def test_signature_weighs_more_than_what_stands_in_quotes(journal, keep_from, make_repair):
    keep_from(make_repair(1, message="KeyError: 'warehouse stock shelf'"))
    keep_from(make_repair(2, message="TypeError: unsupported operand for 'warehouse'"))
    assert words(recall(journal, "TypeError: unsupported operand", 2)) == ["TypeError: unsupported operand for 'warehouse'"]
    assert words(recall(journal, "unsupported operand 'shelf' 'stock'", 2))[0].startswith("TypeError")


def test_code_tells_equal_failures_apart(journal, keep_from, make_repair):
    keep_from(make_repair(1, message="boom", before=b"def parcel(weight):\n    return weight\n", after=b"one\n"))
    keep_from(make_repair(2, message="boom", before=b"def invoice(amount):\n    return amount\n", after=b"two\n"))
    assert "+one" in recall(journal, "boom", 1, code="total = parcel(weight)")[0].diff
    assert "+two" in recall(journal, "boom", 1, code="total = invoice(amount)")[0].diff
    assert "+one" in recall(journal, "", 1, code="parcel")[0].diff


def test_code_is_what_it_was_before_the_fix(journal, keep_from, make_repair):
    keep_from(make_repair(1, message="boom", before=b"old_name()\n", after=b"fresh_title()\n"))
    assert recall(journal, "", 1, code="fresh_title") == ()
    assert len(recall(journal, "", 1, code="old_name")) == 1


def test_a_fix_tells_where_it_comes_from(journal, keep_from, make_repair):
    done = make_repair(1, message="boom")
    episode = keep_from(done, repository="shop", task="shop-17")
    (fix,) = recall(journal, "boom")
    assert (fix.episode, fix.problem, fix.mark) == (episode, done.problem.id, done.problem.mark)
    assert (fix.repository, fix.task) == (label("shop"), label("shop-17"))
    keep_from(make_repair(2, message="bang"))
    (plain,) = recall(journal, "bang")
    assert plain.repository
    assert plain.task == ""


@pytest.mark.parametrize("what", ["problems", "marks", "repositories", "tasks"])
def test_nothing_of_what_is_held_out_is_recalled(journal, keep_from, make_repair, what):
    done = make_repair(1, message="boom")
    keep_from(done, repository="shop", task="shop-17")
    keep_from(make_repair(2, message="boom", after=b"other\n"), repository="bank", task="bank-3")
    named = {"problems": done.problem.id, "marks": done.problem.mark, "repositories": label("shop"), "tasks": label("shop-17")}
    held = HeldOut(name="test split", **{what: frozenset({named[what]})})
    assert [fix.repository for fix in recall(journal, "boom", held_out=held)] == [label("bank")]
    assert len(recall(journal, "boom")) == 2


def test_held_out_fixes_do_not_crowd_out_the_others(journal, keep_from, make_repair):
    keep_from(make_repair(99, message="boom", after=b"allowed\n"), repository="bank")
    for number in range(12):
        keep_from(make_repair(number, message="boom boom boom", after=f"{number}\n".encode()), repository="shop")
    held = HeldOut(name="test split", repositories=frozenset({label("shop")}))
    (fix,) = recall(journal, "boom", 1, held_out=held)
    assert "+allowed" in fix.diff


def test_fix_whose_origin_is_not_known_is_held_out(path):
    """Fixes that an older suture recorded: they are recalled, but in no evaluation."""
    with connect(path, MIGRATIONS[:5]) as connection:
        connection.execute("INSERT INTO workspaces (id, path) VALUES ('w', NULL)")
        connection.execute("INSERT INTO runs (id, workspace, level, started, versions) VALUES ('r', 'w', 'full', 0, '{}')")
        connection.execute(
            "INSERT INTO problems (key, id, workspace, environment, check_name, snapshot, finding_count, created)"
            " VALUES (1, 'p', 'w', 'e', 'tests', 's', 1, 0)"
        )
        connection.execute(
            "INSERT INTO episodes (id, run, problem, environment, harness, policy, adapter, outcome, reason, steps, prompt_tokens,"
            " completion_tokens, cached_tokens, seconds, seconds_policy, seconds_sandbox, seed, versions, created)"
            " VALUES ('ep', 'r', 1, 'e', 'h', 'p', '', 'fixed', '', 1, 1, 1, 0, 1, 1, 1, 0, '{}', 0)"
        )
        connection.execute("INSERT INTO patches (key, episode, files, added, removed, redacted) VALUES (7, 'ep', 1, 1, 1, 0)")
        connection.execute("INSERT INTO verdicts (episode, passed, infrastructure, reruns, seconds) VALUES ('ep', 1, 0, 3, 1)")
        connection.execute("INSERT INTO failures (rowid, failure, diff) VALUES (7, 'E: warehouse', '+ new')")
    connection.close()
    journal = Journal.open(path)
    try:
        assert [fix.diff for fix in recall(journal, "warehouse")] == ["+ new"]
        assert recall(journal, "warehouse", held_out=HeldOut(name="nothing in it")) == ()
        assert len(recall(journal, "", code="new")) == 1
        assert queries.stats(journal).db_schema == len(MIGRATIONS)
        assert journal.check() == ()
    finally:
        journal.close()


def test_secrets_do_not_reach_the_index(path, keep_from, make_repair):
    journal = Journal.open(path)
    text = f"K = '{KEY}'\n".encode()
    keep_from(make_repair(message=f"bad key {KEY}", before=text, after=b"K = None\n"), to=journal)
    (fix,) = recall(journal, "bad key")
    with journal.reading() as connection:
        rows = connection.execute("SELECT signature, failure, code, diff FROM fixes").fetchall()
    journal.close()
    assert KEY not in f"{rows}{fix}"
    assert "[redacted:aws-key]" in fix.diff
    assert not any(KEY.encode() in each.read_bytes() for each in path.parent.iterdir())


def test_metadata_indexes_nothing(path, keep_from, make_repair):
    journal = Journal.open(path, "metadata")
    try:
        keep_from(make_repair(message="secretmessage"), repository="secretname", to=journal)
        with journal.reading() as connection:
            counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("fixes", "origins", "blobs")]
            dump = "\n".join(connection.iterdump())
    finally:
        journal.close()
    assert counts == [0, 0, 0]
    assert "secret" not in dump


def test_names_of_repositories_and_tasks_are_kept_as_digests(path, journal, keep_from, make_repair):
    keep_from(make_repair(1), repository="unmistakable-repository", task="unmistakable-task")
    with journal.reading() as connection:
        assert "unmistakable" not in "\n".join(connection.iterdump())


def test_erase_takes_the_index_too(path, keep_from, make_repair):
    journal = Journal.open(path)
    keep_from(make_repair(1, message="unmistakable warehouse"), repository="shop", to=journal)
    erase.erase(journal)
    with journal.reading() as connection:
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in ("fixes", "origins", "patches")]
    journal.close()
    assert counts == [0, 0, 0]
    assert not any(b"unmistakable" in each.read_bytes() or b"warehouse" in each.read_bytes() for each in path.parent.iterdir())


async def test_recorder_hands_all_of_it_on(journal, environment, policy, make_repair):
    from suture_agent.record import JournalRecorder

    done, other = make_repair(1, message="boom"), make_repair(2, message="boom", after=b"other\n")
    recorder = JournalRecorder(journal, environment, done.problem.snapshot.root, origin=Origin(repository="shop", task="t1"))
    await recorder.repair(done, policy, PRESETS["agent"])
    await recorder.repair(other, policy, PRESETS["agent"])
    held = HeldOut(name="x", tasks=frozenset({label("t1")}))
    assert await recorder.recall("boom", held_out=held) == ()
    assert len(await recorder.recall("boom", code="total prices")) == 2
    await recorder.problem(done.problem)
    assert [fix.problem for fix in await recorder.recall("boom")] == [other.problem.id]


async def test_bound_recall_checks_what_any_source_gives():
    fixes = (PastFix(failure="a", diff="d", problem="p", mark="m", repository="r"), PastFix(failure="b", diff="d"))
    harness = PRESETS["agent"]
    assert await bound(cached(fixes), harness, None)("q", 5) == fixes
    assert await bound(cached(fixes), harness, None)("q", 1) == fixes[:1]
    assert await bound(cached(fixes), msgspec.structs.replace(harness, recall="off"), None)("q") == ()
    for held, left in ((HeldOut(name="h"), fixes[:1]), (HeldOut(name="h", problems=frozenset("p")), ())):
        of = msgspec.structs.replace(harness, held_out=held.identity)
        assert await bound(cached(fixes), of, held)("q") == left
        assert await bound(cached(fixes), of, held)("q", held_out=None) == left
    assert await no_recall("q") == ()


def test_identity_of_an_exclusion_set_is_its_name_and_content():
    one = HeldOut(name="a", problems=frozenset({"1", "2"}))
    assert one.identity == HeldOut(name="a", problems=frozenset({"2", "1"})).identity
    assert len({one.identity, HeldOut(name="b", problems=one.problems).identity, HeldOut(name="a", marks=one.problems).identity}) == 3
    assert label("") == ""
