"""Offers: what is written of them and of decisions, which are open, and what is learnt from corrections."""

from __future__ import annotations

import time

import pytest

from suture_agent.errors import JournalError
from suture_agent.journal import erase, queries
from suture_agent.journal.entries import patch_entry
from suture_agent.journal.offers import open_offers, pairs
from suture_agent.journal.store import Journal
from suture_sandbox.patch import FileEdit, Patch

KEY = "AKIAIOSFODNN7QRSTUVW"
MINE = Patch((FileEdit(path="shop.py", before=b"a\n", after=b"b\n"),))


@pytest.fixture
def still_open(journal, workspace, environment):
    """The identifiers of the open offers."""

    def find(**chosen):
        chosen = {"workspace_root": workspace, "environment": environment.identity, "since": 0.0, **chosen}
        return [offer.id for offer in open_offers(journal, **chosen)]

    return find


def times(journal, offer):
    """When an offer was made and seen, and how long its decisions took."""
    with journal.reading() as connection:
        made, seen = connection.execute("SELECT created, seen FROM offers WHERE id = ?", (offer,)).fetchone()
        took = connection.execute("SELECT created, latency FROM decisions WHERE offer = ? ORDER BY id", (offer,)).fetchall()
    return made, seen, took


def test_an_offer_says_what_it_is_about_and_how_it_was_shown(journal, keep, make_repair, environment):
    episode = keep(journal, make_repair(1))
    journal.write_offer(episode, "notification")
    record = queries.show(journal, episode)
    (offer,) = record.offers
    assert (offer.environment, offer.harness, offer.snapshot) == (environment.identity, record.line.harness, record.snapshot)
    assert (offer.shown, offer.seen, offer.decisions) == ("notification", None, ())
    with pytest.raises(JournalError):
        journal.write_offer(episode, "by pigeon")
    assert queries.stats(journal).shown == {"notification": 1}


def test_the_first_look_counts(journal, keep, make_repair):
    offer = journal.write_offer(keep(journal, make_repair(1)), "action")
    journal.write_seen(offer)
    first = times(journal, offer)[1]
    time.sleep(0.01)
    journal.write_seen(offer)
    made, seen, _ = times(journal, offer)
    assert made <= seen == first
    assert queries.stats(journal).seen == 1
    with pytest.raises(JournalError, match="no offer"):
        journal.write_seen("nothing")


def test_latency_counts_from_the_offer_and_once_it_is_seen_from_there(journal, keep, make_repair):
    offer = journal.write_offer(keep(journal, make_repair(1)), "action")
    journal.write_decision(offer, "ignored", source="inferred")
    time.sleep(0.05)
    journal.write_seen(offer)
    journal.write_decision(offer, "accepted")
    made, seen, ((first, ignored), (second, accepted)) = times(journal, offer)
    assert ignored == pytest.approx(first - made)
    assert accepted == pytest.approx(second - seen)
    assert queries.stats(journal).sources == {"inferred": 1, "told": 1}
    with pytest.raises(JournalError):
        journal.write_decision(offer, "accepted", source="guessed")


def test_a_clock_that_goes_back_makes_no_negative_latency(journal, keep, make_repair):
    offer = journal.write_offer(keep(journal, make_repair(1)), "action")
    with journal.writing() as connection:
        connection.execute("UPDATE offers SET created = created + 3600")
    journal.write_decision(offer, "accepted")
    assert times(journal, offer)[2][0][1] == 0.0


@pytest.mark.parametrize(("level", "kept"), [("full", "my key [redacted:aws-key] is in it"), ("metadata", "")])
def test_a_reason_is_redacted_and_only_kept_in_full(path, keep, make_repair, level, kept):
    journal = Journal.open(path, level)
    episode = keep(journal, make_repair(1))
    offer = journal.write_offer(episode, "action")
    journal.write_decision(offer, "rejected", reason=f"my key {KEY} is in it")
    ((decision,),) = [each.decisions for each in queries.show(journal, episode).offers]
    journal.close()
    assert (decision.kind, decision.source, decision.reason) == ("rejected", "told", kept)
    assert KEY.encode() not in b"".join(each.read_bytes() for each in path.parent.iterdir())


@pytest.mark.parametrize(
    ("kinds", "is_open"),
    [
        ((), True),
        (("ignored",), True),
        (("accepted", "reverted"), False),
        (("ignored", "accepted"), False),
        (("expired",), False),
        (("withdrawn",), False),
        (("rejected",), False),
        (("expired", "ignored"), True),
    ],
)
def test_the_last_decision_says_whether_an_offer_is_open(journal, keep, make_repair, still_open, kinds, is_open):
    offer = journal.write_offer(keep(journal, make_repair(1)), "action")
    for kind in kinds:
        journal.write_decision(offer, kind)
    assert still_open() == ([offer] if is_open else [])


def test_open_offers_come_newest_first_one_a_problem(journal, keep, make_repair, still_open, workspace, environment):
    first = journal.write_offer(keep(journal, make_repair(1)), "action")
    older = journal.write_offer(keep(journal, make_repair(2, after=b"older\n")), "action")
    newer = journal.write_offer(keep(journal, make_repair(2, after=b"newer\n")), "message")
    assert still_open() == [newer, first]
    found = open_offers(journal, workspace, environment.identity, since=0.0)[0]
    assert found.patch.edits[0].after == b"newer\n"
    assert (found.verdict.passed, found.verdict.reruns, found.findings[0].test) == (True, 3, "tests/test_shop.py::test_2")
    journal.write_decision(newer, "rejected")
    assert older not in still_open()
    assert still_open(since=time.time() + 1) == []
    assert still_open(environment="another") == []
    assert still_open(workspace_root=workspace / "other") == []


def test_what_cannot_be_applied_is_not_open(path, keep, make_repair, workspace, environment):
    with_key = f"K = '{KEY}'\n".encode()
    journal = Journal.open(path)
    journal.write_offer(keep(journal, make_repair(1, after=with_key)), "action")
    journal.level = "metadata"
    journal.write_offer(keep(journal, make_repair(2)), "action")
    assert open_offers(journal, workspace, environment.identity, since=0.0) == ()
    assert queries.stats(journal).offers == 2
    journal.close()


def test_one_that_cannot_be_read_is_left_out_and_told(journal, keep, make_repair, still_open, caplog):
    journal.write_offer(keep(journal, make_repair(1, after=b"one\n")), "action")
    offer = journal.write_offer(keep(journal, make_repair(2, after=b"two\n")), "action")
    with journal.writing() as connection:
        connection.execute("UPDATE blobs SET data = x'00' WHERE hash = (SELECT edits FROM patches ORDER BY key LIMIT 1)")
    assert still_open() == [offer]
    assert "is not restored" in caplog.text


def test_pairs_are_what_was_offered_and_what_was_made_of_it(journal, keep, make_repair):
    done = make_repair(1)
    offer = journal.write_offer(keep(journal, done), "action")
    journal.write_decision(offer, "accepted_with_edits", patch_entry(MINE, "full"))
    assert pairs(journal) == ()
    journal.write_decision(offer, "rejected_with_correction", patch_entry(MINE, "full"), source="inferred")
    secret = Patch((FileEdit(path="shop.py", before=b"a\n", after=f"K = '{KEY}'\n".encode()),))
    journal.write_decision(offer, "rejected_with_correction", patch_entry(secret, "full"))
    journal.write_decision(offer, "rejected_with_correction", patch_entry(MINE, "metadata"))
    journal.write_decision(offer, "rejected_with_correction")
    assert pairs(journal) == ((done.patch, MINE),)
    erase.erase(journal)
    assert pairs(journal) == ()
    assert journal.check() == ()
