"""Bundles: what travels between machines, what is checked, and what must not change on the machine that takes one in."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
import zstandard

from suture_agent.errors import JournalError
from suture_agent.journal import offers, queries
from suture_agent.journal.bulk import Choice
from suture_agent.journal.entries import patch_entry, workspace_id
from suture_agent.journal.receiving import receive
from suture_agent.journal.sending import send
from suture_agent.journal.shared import MANIFEST, RECORDS, SIGNATURE, pseudonym
from suture_agent.journal.store import Journal
from suture_agent.pipelines import Course, OuterStep

TOKEN = "ghp_" + "a1B2c3D4e5" * 4
needs_ssh = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="ssh-keygen is not installed")


@pytest.fixture
def full(journal, keep, make_repair):
    """A journal with decisions, corrections and survivals; the episodes' identifiers."""
    names = [keep(journal, make_repair(number, note=f"note {number}")) for number in range(2)]
    step = OuterStep(check="tests", place="a.py:1", error="E", stage="tests", why="first", attempt=0, outcome="kept", turns=(0, 1))
    names.append(keep(journal, msgspec.structs.replace(make_repair(2), course=Course(steps=(step,)))))
    names.append(keep(journal, make_repair(9, outcome="unfixed", reason="nothing helped")))
    offer = journal.write_offer(names[0], "action")
    journal.write_seen(offer)
    journal.write_decision(offer, "accepted", reason="good")
    journal.write_survival(offer, "5min", tokens=8, kept=6)
    corrected = journal.write_offer(names[1], "message")
    journal.write_decision(corrected, "rejected_with_correction", patch_entry(make_repair(after=b"x = 1\n").patch, "full"))
    return names


@pytest.fixture
def bundle(journal, full, path, tmp_path) -> Path:
    send(path, tmp_path / "bundle", Choice())
    return tmp_path / "bundle"


@pytest.fixture
def other(tmp_path):
    opened = Journal.open(tmp_path / "other" / "journal.sqlite3")
    yield opened
    opened.close()


def without_place(record: queries.Record) -> queries.Record:
    return msgspec.structs.replace(record, line=msgspec.structs.replace(record.line, workspace=""))


def lines(bundle: Path) -> list[dict]:
    with (bundle / RECORDS).open("rb") as file:
        raw = zstandard.ZstdDecompressor().stream_reader(file).read()
    return [json.loads(line) for line in raw.splitlines()]


def write(bundle: Path, records: list[dict]) -> None:
    """Records of somebody's own making, with a manifest that fits."""
    import hashlib

    raw = zstandard.ZstdCompressor().compress(b"".join(json.dumps(each).encode() + b"\n" for each in records))
    (bundle / RECORDS).write_bytes(raw)
    manifest = json.loads((bundle / MANIFEST).read_bytes())
    (bundle / MANIFEST).write_text(json.dumps({**manifest, "records": hashlib.sha256(raw).hexdigest()}))


def test_everything_arrives_but_the_place(journal, full, bundle, other):
    found = receive(other, bundle, signers=None)
    assert (found.episodes, found.known, found.redacted, found.signer) == (4, 0, 0, "")
    for name in full:
        assert without_place(queries.show(other, name)) == without_place(queries.show(journal, name))
    assert offers.pairs(other) == offers.pairs(journal)
    assert "kept" in json.dumps(lines(bundle)[2]["course"])
    assert other.check() == ()


def test_twice_is_once(bundle, other):
    receive(other, bundle, signers=None)
    before = queries.stats(other)
    found = receive(other, bundle, signers=None)
    assert (found.episodes, found.known) == (0, 4)
    assert queries.stats(other) == before


def test_no_path_travels(bundle, workspace):
    text = json.dumps(lines(bundle))
    assert str(workspace) not in text
    assert workspace_id(workspace) not in text
    assert pseudonym(workspace_id(workspace)) in text


def test_nothing_is_recalled_offered_or_taken_for_the_machine_s_own(bundle, other, full, journal, workspace, environment):
    receive(other, bundle, signers=None)
    assert queries.recall(journal, "assert 9 == 10")
    assert queries.recall(other, "assert 9 == 10") == ()
    assert offers.open_offers(other, workspace, environment.identity, since=0.0) == ()
    assert queries.recent(other, workspace=workspace) == ()


def test_what_is_there_stays_as_it_is(bundle, journal, full):
    before = [queries.show(journal, name) for name in full]
    receive(journal, bundle, signers=None)
    assert [queries.show(journal, name) for name in full] == before
    assert queries.recall(journal, "assert 9 == 10")


def test_secrets_that_are_still_there_are_taken_out(bundle, other, full):
    records = lines(bundle)
    records[0]["turns"]["messages"][0]["content"] = f"use {TOKEN}"
    records[1]["patch"]["diff"] = f"+{TOKEN}\n"
    records[1]["patch"]["edits"]["edits"][0]["after"] = TOKEN
    write(bundle, records)
    assert receive(other, bundle, signers=None).redacted == 2
    first, second = (queries.show(other, name) for name in full[:2])
    assert first.conversation.messages[0].content == "use [redacted:github-token]"
    assert (second.diff, second.redacted) == ("+[redacted:github-token]\n", True)
    assert TOKEN.encode() not in other.path.read_bytes()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda record: record.update(id="../../etc/passwd"), "line 1"),
        (lambda record: record.update(outcome="splendid"), "line 1"),
        (lambda record: record["run"].update(id="UPPER CASE 123456"), "line 1"),
        (lambda record: record["offers"][0]["decisions"][0].update(kind="applauded"), "line 1"),
        (lambda record: record["offers"][0]["survivals"][0].update(kept=99), "CHECK constraint failed"),
        (lambda record: record["environment"].update(identity="e"), "line 1"),
    ],
)
def test_what_is_no_episode_is_refused_and_nothing_of_it_kept(bundle, other, change, why):
    records = lines(bundle)
    change(records[0])
    write(bundle, records)
    with pytest.raises(JournalError, match=why):
        receive(other, bundle, signers=None)
    assert queries.stats(other).episodes == 0


def test_a_changed_file_is_refused(bundle, other):
    content = bytearray((bundle / RECORDS).read_bytes())
    content[-1] ^= 1
    (bundle / RECORDS).write_bytes(content)
    with pytest.raises(JournalError, match="not what the manifest says"):
        receive(other, bundle, signers=None)


def test_a_bundle_of_a_newer_suture_is_refused(bundle, other):
    manifest = json.loads((bundle / MANIFEST).read_text())
    (bundle / MANIFEST).write_text(json.dumps({**manifest, "format": 99}))
    with pytest.raises(JournalError, match="format 99"):
        receive(other, bundle, signers=None)
    with pytest.raises(JournalError, match="no bundle"):
        receive(other, bundle.parent, signers=None)


def test_a_line_without_end_does_not_fill_the_memory(bundle, other, monkeypatch):
    monkeypatch.setattr("suture_agent.journal.receiving.LARGEST", 1000)
    with pytest.raises(JournalError, match="line 1"):
        receive(other, bundle, signers=None)


def test_a_folder_that_is_not_empty_is_left_alone(path, full, bundle):
    before = sorted(each.name for each in bundle.iterdir())
    with pytest.raises(JournalError, match="exists already"):
        send(path, bundle, Choice())
    assert sorted(each.name for each in bundle.iterdir()) == before
    assert [each.name for each in bundle.parent.iterdir() if each.name.endswith(".part")] == []


def test_episodes_are_chosen(path, full, tmp_path):
    assert send(path, tmp_path / "one", Choice(outcome="unfixed")).episodes == 1
    assert [record["reason"] for record in lines(tmp_path / "one")] == ["nothing helped"]


@pytest.fixture
def keys(tmp_path):
    """Ann's key, Bob's key, and a file that allows Ann."""
    made = []
    for name in ("ann", "bob"):
        key = tmp_path / f"key-{name}"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(key)], check=True, stdin=subprocess.DEVNULL)
        made.append(key)
    allowed = tmp_path / "signers"
    allowed.write_text(f"ann@example.org {made[0].with_suffix('.pub').read_text()}")
    return *made, allowed


@needs_ssh
def test_a_signature_says_who(path, full, tmp_path, other, keys):
    ann, bob, allowed = keys
    send(path, tmp_path / "ann", Choice(), key=ann)
    assert receive(other, tmp_path / "ann", signers=allowed).signer == "ann@example.org"
    send(path, tmp_path / "bob", Choice(), key=bob)
    with pytest.raises(JournalError, match="nobody in"):
        receive(other, tmp_path / "bob", signers=allowed)


@needs_ssh
def test_a_signature_is_of_this_bundle_and_for_this_purpose(path, full, bundle, tmp_path, other, keys):
    ann, _, allowed = keys
    with pytest.raises(JournalError, match="is not signed"):
        receive(other, bundle, signers=allowed)
    send(path, tmp_path / "ann", Choice(outcome="unfixed"), key=ann)
    shutil.copy(tmp_path / "ann" / SIGNATURE, bundle / SIGNATURE)
    with pytest.raises(JournalError, match="not good"):
        receive(other, bundle, signers=allowed)
    (bundle / SIGNATURE).unlink()
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-q", "-f", str(ann), "-n", "file", str(bundle / MANIFEST)], check=True, stdin=subprocess.DEVNULL
    )
    with pytest.raises(JournalError):
        receive(other, bundle, signers=allowed)
    assert queries.stats(other).episodes == 0


@needs_ssh
def test_a_key_that_cannot_sign_is_told_and_leaves_nothing(path, full, tmp_path):
    (tmp_path / "no-key").write_text("nonsense")
    with pytest.raises(JournalError, match="could not be signed"):
        send(path, tmp_path / "bundle", Choice(), key=tmp_path / "no-key")
    assert not (tmp_path / "bundle").exists()
