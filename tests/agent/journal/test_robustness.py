"""What must hold when machines and processes fail: kill -9, a full disk, two writers, a busy event loop."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from suture_agent.errors import JournalError
from suture_agent.journal import queries
from suture_agent.journal.offers import open_offers
from suture_agent.journal.store import Journal
from suture_sandbox.local.bubblewrap import find

WRITER = """
import sys
from pathlib import Path
from suture_agent.journal.store import Journal
from suture_agent.journal.entries import EpisodeEntry, IdentityEntry, PatchEntry, ProblemEntry, RunEntry, VerdictEntry
from suture_agent.journal.blobs import pack
from suture_agent.errors import JournalError

journal = Journal.open(Path(sys.argv[1]))
name, size = sys.argv[2], int(sys.argv[3])
last = int(sys.argv[4]) if len(sys.argv) > 4 else 1 << 30
environment = IdentityEntry(kind="environment", identity="e" * 64, fields=pack({"a": 1}))
run = RunEntry(id=journal.identifier(), workspace="w", path="/w", level="full", started=0.0, versions="{}")
import random
random.seed(name)
for number in range(last):
    problem = ProblemEntry(id=f"{name}{number}", workspace="w", environment=environment, check="tests", snapshot="s", finding_count=1,
                           findings=pack([number]), created=0.0)
    patch = PatchEntry(edits=pack([name, number]), diff=pack(random.randbytes(size).hex()), files=1, added=1, removed=1, redacted=False,
                       failure=f"failure {number}", diff_text="+x")
    verdict = VerdictEntry(verdict=pack({"passed": True, "n": number}), passed=True, infrastructure=False, reruns=3, seconds=0.1)
    harness, policy = IdentityEntry(kind="harness", identity="h"), IdentityEntry(kind="policy", identity="p")
    episode = EpisodeEntry(problem=problem, harness=harness, policy=policy, adapter="", outcome="fixed", reason="",
        turns=pack([name, number, "t"]), steps=1, prompt_tokens=1, completion_tokens=1, cached_tokens=0,
        seconds=1.0, seconds_policy=1.0, seconds_sandbox=0.0, seed=0, versions="{}", patch=patch, verdict=verdict, created=0.0)
    try:
        print(journal.write_episode(run, episode), flush=True)
    except JournalError as error:
        print("refused", error, "|", error.remedy, flush=True)
        raise SystemExit(7)
journal.close()
"""


def start(path: Path, name: str, size: int = 200, last: int | None = None, **options) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", WRITER, str(path), name, str(size), *([str(last)] if last is not None else [])]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def kept(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {row[0] for row in connection.execute("SELECT id FROM episodes")}


def test_kill_at_any_moment_loses_nothing_that_was_acknowledged(path):
    acknowledged: set[str] = set()
    for attempt in range(12):
        writer = start(path, f"k{attempt}-")
        assert writer.stdout is not None
        lines = [writer.stdout.readline()]
        stop = threading.Timer(0.005 * attempt, os.kill, (writer.pid, signal.SIGKILL))
        stop.start()
        lines += writer.stdout.readlines()
        writer.communicate()
        assert writer.returncode == -signal.SIGKILL
        acknowledged |= {line.strip() for line in lines if line.endswith("\n")}
        journal = Journal.open(path)
        assert journal.check() == ()
        journal.close()
        assert acknowledged <= kept(path)
    assert len(acknowledged) >= 12
    with closing(sqlite3.connect(path)) as connection:
        for table in ("patches", "verdicts"):
            assert connection.execute(f"SELECT count(*) FROM episodes WHERE id NOT IN (SELECT episode FROM {table})").fetchone() == (0,)


OFFERER = """
import sys
from pathlib import Path
from suture_agent.journal.store import Journal

journal = Journal.open(Path(sys.argv[1]))
print(getattr(journal, sys.argv[2])(*sys.argv[3:]), flush=True)
sys.stdin.read()
"""


def killed_after(path: Path, *call: str) -> str:
    """What a process got back from a method of the journal before kill -9."""
    writer = subprocess.Popen([sys.executable, "-c", OFFERER, str(path), *call], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    answer = writer.stdout.readline().strip()
    writer.kill()
    writer.communicate()
    assert writer.returncode == -signal.SIGKILL
    return answer


def test_an_offer_outlives_kill_9_until_it_is_decided(path, keep, make_repair, workspace, environment):
    done = make_repair(1)
    with closing(Journal.open(path)) as journal:
        episode = keep(journal, done)
    offer = killed_after(path, "write_offer", episode, "action")
    with closing(Journal.open(path)) as journal:
        (found,) = open_offers(journal, workspace, environment.identity, since=0.0)
        assert (found.id, found.patch) == (offer, done.patch)
    assert killed_after(path, "write_decision", offer, "accepted")
    with closing(Journal.open(path)) as journal:
        assert open_offers(journal, workspace, environment.identity, since=0.0) == ()
        (kept_offer,) = queries.show(journal, episode).offers
    assert [decision.kind for decision in kept_offer.decisions] == ["accepted"]


def test_two_processes_write_at_once(path):
    writers = [start(path, name, last=60) for name in ("a-", "b-", "c-")]
    outputs = [writer.communicate(timeout=120) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0], outputs
    acknowledged = {line for out, _ in outputs for line in out.split()}
    assert len(acknowledged) == 180
    assert kept(path) == acknowledged
    journal = Journal.open(path)
    assert journal.check() == ()
    assert queries.stats(journal).problems == 180
    journal.close()


LIMITED = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000)); exec(sys.argv.pop(1))"


def test_a_full_disk_is_told_and_what_was_kept_stays(path):
    arguments = [sys.executable, "-c", LIMITED, WRITER, str(path), "f-", "20000"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 7, done.stderr
    *acknowledged, refused = done.stdout.splitlines()
    assert acknowledged
    assert refused.startswith("refused")
    assert "free space" in refused
    journal = Journal.open(path)
    assert journal.check() == ()
    assert queries.stats(journal).episodes == len(acknowledged)
    journal.close()
    assert kept(path) == set(acknowledged)


def test_a_full_file_system_is_told_and_the_journal_can_be_read_again(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    script = (
        f"import subprocess, sys\nwriter = {WRITER!r}\npath = {str(folder / 'journal.sqlite3')!r}\n"
        "first = subprocess.run([sys.executable, '-c', writer, path, 'f-', '20000'], capture_output=True, text=True)\n"
        "assert first.returncode == 7, first.stderr\nlines = first.stdout.splitlines()\nassert 'free space' in lines[-1], lines[-1]\n"
        "from pathlib import Path\nfrom suture_agent.journal import queries\nfrom suture_agent.journal.store import Journal\n"
        "journal = Journal.open(Path(path))\nassert journal.check() == ()\nassert queries.stats(journal).episodes == len(lines) - 1 > 0\n"
    )
    command = [find(), "--dev-bind", "/", "/", "--size", "1500000", "--tmpfs", str(folder), sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr


def test_many_threads_may_write_at_once(journal, keep, make_repair):
    threads = [threading.Thread(target=lambda number=number: [keep(journal, make_repair(number)) for _ in range(5)]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert queries.stats(journal).episodes == 40
    assert journal.check() == ()


async def test_calls_keep_their_order(journal):
    seen: list[int] = []
    await asyncio.gather(*(journal.call(seen.append, number) for number in range(200)))
    assert seen == list(range(200))


async def test_the_event_loop_goes_on_while_another_process_holds_the_file(journal, keep, make_repair):
    other = sqlite3.connect(journal.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.ensure_future(journal.call(keep, journal, make_repair()))
    turns = 0
    while turns < 50:
        await asyncio.sleep(0.002)
        turns += 1
    assert not writing.done()
    other.execute("COMMIT")
    other.close()
    assert (await writing) in kept(journal.path)


async def test_a_cancelled_waiter_does_not_undo_the_write(journal, keep, make_repair):
    release = threading.Event()
    holding = asyncio.ensure_future(journal.call(release.wait))
    writing = asyncio.ensure_future(journal.call(keep, journal, make_repair()))
    reading = asyncio.ensure_future(journal.call(queries.stats, journal))
    await asyncio.sleep(0.01)
    holding.cancel()
    release.set()
    assert await writing in kept(journal.path)
    assert (await reading).episodes == 1


async def test_closing_finishes_what_was_asked_for(path, keep, make_repair):
    journal = Journal.open(path)
    writing = asyncio.ensure_future(journal.call(keep, journal, make_repair()))
    await asyncio.sleep(0)
    journal.close()
    assert await writing in kept(path)
    with pytest.raises(JournalError, match="closed"):
        await journal.call(time.time)
