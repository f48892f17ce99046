"""`suture journal` as a program: output for people and for programs, exit codes, nothing made by looking."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from suture_agent.journal.blobs import pack
from suture_agent.journal.entries import EpisodeEntry, IdentityEntry, PatchEntry, ProblemEntry, RunEntry, VerdictEntry, workspace_id
from suture_agent.journal.store import Journal
from suture_agent.journal.stored import store_course, store_patch, store_turns
from suture_agent.meter import Turn
from suture_agent.pipelines import Course, Judgement, OuterStep
from suture_agent.policies import ChatRequest, Choice, Completion, Message
from suture_sandbox.patch import FileEdit, Patch

SUTURE = (sys.executable, "-c", "from suture_server.cli import main; main()", "journal")
TEXT = "[bold]not markup[/bold] warehouse"


STEP = OuterStep(
    check="tests", place="t::a", error=f"t::a: {TEXT}", stage="assert", why="it is nearest to the root", attempt=0, candidate="06bx",
    outcome="kept", seen="different", reason="now: other", paths=("a.py",), seconds=1.5,
)  # fmt: skip
COURSE = Course(steps=(STEP,), judged=(Judgement(accepted=True, reason="it mends the cause"),))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path


def run(home: Path, *arguments: str, answer: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "XDG_DATA_HOME": str(home / "data"), **variables}
    return subprocess.run(
        [*SUTURE, *arguments], cwd=home / "work", env=environment, input=answer, capture_output=True, text=True, check=False
    )


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def journal_file(home: Path) -> Path:
    return home / "data" / "suture" / "journal.sqlite3"


def entry(number: int, root: Path, outcome: str) -> EpisodeEntry:
    asked = Message(role="user", content=f"Repair {TEXT}")
    turn = Turn(
        request=ChatRequest(messages=(asked,)), completion=Completion(choices=(Choice(text="first line\nsecond"),), prompt_tokens=9)
    )
    patch = Patch((FileEdit(path="a.py", before=b"x = 1\n", after=b"x = 2\n"),))
    fixed = outcome == "fixed"
    return EpisodeEntry(
        problem=ProblemEntry(
            id=f"{number:012x}",
            workspace=workspace_id(root),
            environment=IdentityEntry(kind="environment", identity="e" * 64, fields=pack({"os": "x"})),
            check="tests" if number % 2 else "types",
            snapshot="5" * 64,
            finding_count=1,
            findings=pack([{"path": "a.py", "message": TEXT}]),
            created=time.time(),
        ),
        harness=IdentityEntry(kind="harness", identity="b" * 64),
        policy=IdentityEntry(kind="policy", identity="c" * 64, name="played"),
        adapter="",
        outcome=outcome,
        reason="" if fixed else TEXT,
        turns=pack(store_turns((turn,))),
        steps=1,
        prompt_tokens=9,
        completion_tokens=2,
        cached_tokens=0,
        seconds=2.5,
        seconds_policy=2.0,
        seconds_sandbox=0.5,
        seed=0,
        versions='{"suture":"1","python":"3","engine":""}',
        patch=PatchEntry(edits=pack(store_patch(patch)), diff=pack(patch.diff()), files=1, added=1, removed=1, redacted=False)
        if fixed
        else None,
        verdict=VerdictEntry(verdict=pack({"passed": True, "reruns": 3}), passed=True, infrastructure=False, reruns=3, seconds=1.0)
        if fixed
        else None,
        created=time.time(),
        course=pack(store_course(COURSE)) if fixed else None,
    )


@pytest.fixture
def kept(home: Path) -> list[str]:
    """Three episodes: fixed and unfixed in one workspace, cancelled in another."""
    journal = Journal.open(journal_file(home))
    made: list[str] = []
    for number, (name, outcome) in enumerate((("work", "fixed"), ("work", "unfixed"), ("other", "cancelled")), 0xA1):
        root = home / name
        started = RunEntry(
            id=journal.identifier(), workspace=workspace_id(root), path=str(root), level="full", started=time.time(), versions="{}"
        )
        made.append(journal.write_episode(started, entry(number, root, outcome)))
    journal.close()
    return made


@pytest.mark.parametrize("command", [("stats",), ("list",), ("erase", "--all", "--yes")])
def test_looking_at_nothing_makes_nothing(home, command):
    done = run(home, *command)
    assert done.returncode == 0
    assert "nothing is recorded yet" in done.stderr
    assert not (home / "data").exists()
    assert lines(run(home, *command, "--json"))[-1]["event"] == "summary"


def test_showing_from_an_empty_journal_is_a_usage_error(home):
    assert run(home, "show", "0").returncode == 2


def test_stats_for_people(home, kept):
    done = run(home, "stats")
    assert done.returncode == 0, done.stderr
    for text in ("3 episodes of 3 problems in 3 runs", "fixed", "cancelled", "tests", "types", "played", "27 prompt tokens", "on disk"):
        assert text in done.stdout


def test_stats_for_programs(home, kept):
    (summary,) = lines(run(home, "stats", "--json"))
    assert summary["event"] == "summary"
    assert summary["outcomes"] == {"cancelled": 1, "fixed": 1, "unfixed": 1}
    assert summary["checks"] == {"tests": 2, "types": 1}
    assert (summary["prompt_tokens"], summary["completion_tokens"], summary["seconds"]) == (27, 6, 7.5)
    assert summary["sound"] is True


def test_list_for_programs(home, kept):
    *episodes, summary = lines(run(home, "list", "--json"))
    assert [episode["id"] for episode in episodes] == kept[::-1]
    assert summary == {"event": "summary", "episodes": 3}
    assert episodes[-1]["workspace"] == str(home / "work")


def test_list_for_people_shows_whole_identifiers_in_a_pipe(home, kept):
    done = run(home, "list", "-v")
    assert all(identifier in done.stdout for identifier in kept)
    assert "+1 -1" in done.stdout
    assert "0000000000a1" in done.stdout


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--outcome", "fixed"), [0]),
        (("--check", "types"), [1]),
        (("--workspace", "."), [1, 0]),
        (("--workspace", "../other"), [2]),
        (("-n", "1"), [2]),
        (("--workspace", "/nowhere"), []),
    ],
)
def test_list_can_be_narrowed(home, kept, options, expected):
    *episodes, _ = lines(run(home, "list", *options, "--json"))
    assert [episode["id"] for episode in episodes] == [kept[index] for index in expected]


def test_show_for_people(home, kept):
    done = run(home, "show", kept[0])
    assert done.returncode == 0, done.stderr
    for text in ("fixed", kept[0], TEXT, "first line", "verdict passed after 3 runs", "-x = 1\n+x = 2"):
        assert text in done.stdout
    assert f"Repair {TEXT}" not in done.stdout
    assert f"[user]\nRepair {TEXT}" in run(home, "show", kept[0], "-v").stdout


def test_show_tells_the_course(home, kept):
    shown = run(home, "show", kept[0]).stdout
    assert "step 1: kept, attempt 1, shown the fix of 06bx, 1.5 s\n" in shown
    assert f"  main error: t::a: {TEXT}\n  chosen because it is nearest to the root\n  different: now: other (kept: a.py)\n" in shown
    assert "judge: accepted: it mends the cause\n" in shown
    (record,) = lines(run(home, "show", kept[0], "--json"))
    assert record["course"]["steps"][0]["candidate"] == "06bx"
    assert "step 1" not in run(home, "show", kept[1]).stdout


def test_show_for_programs_holds_every_message(home, kept):
    (record,) = lines(run(home, "show", "0000000000a1", "--json"))
    assert record["line"]["id"] == kept[0]
    assert record["conversation"]["messages"][0]["content"] == f"Repair {TEXT}"
    assert record["verdict"] == {"passed": True, "reruns": 3}
    assert record["diff"].endswith("-x = 1\n+x = 2\n")
    assert record["fields"]["environment"]["fields"] == {"os": "x"}


@pytest.fixture
def offered(home: Path, kept: list[str]) -> str:
    """An offer of the fixed episode that was looked at, ignored and then accepted."""
    journal = Journal.open(journal_file(home))
    offer = journal.write_offer(kept[0], "action")
    journal.write_seen(offer)
    journal.write_decision(offer, "ignored", source="inferred")
    journal.write_decision(offer, "accepted", reason="looks right")
    journal.write_survival(offer, "30s", tokens=4, kept=3)
    journal.close()
    return offer


def test_offers_are_shown_and_counted(home, kept, offered):
    shown = run(home, "show", kept[0]).stdout
    assert f"offer {offered}, shown by action " in shown
    assert ", seen " in shown
    assert re.search(r"ignored after \d+\.\d s \(inferred\)\n  accepted after \d+\.\d s: looks right\n  30s: 3 of 4 tokens left", shown)
    counted = run(home, "stats").stdout
    assert "1 offers, 1 of them seen" in counted
    assert all(word in counted for word in ("action", "accepted", "told", "inferred"))
    (summary,) = lines(run(home, "stats", "--json"))
    assert (summary["offers"], summary["seen"], summary["shown"]) == (1, 1, {"action": 1})
    assert summary["sources"] == {"inferred": 1, "told": 1}
    ((offer,),) = [record["offers"] for record in lines(run(home, "show", kept[0], "--json"))]
    assert (offer["shown"], offer["environment"], offer["harness"], offer["snapshot"]) == ("action", "e" * 64, "b" * 64, "5" * 64)
    assert [(each["kind"], each["source"], each["reason"]) for each in offer["decisions"]] == [
        ("ignored", "inferred", ""),
        ("accepted", "told", "looks right"),
    ]


def test_erasing_an_episode_takes_its_offers_along(home, kept, offered):
    assert run(home, "erase", "--workspace", ".", "--yes").returncode == 0
    assert lines(run(home, "stats", "--json"))[0]["offers"] == 0
    assert b"looks right" not in b"".join(path.read_bytes() for path in journal_file(home).parent.iterdir())


@pytest.mark.parametrize(("identifier", "text"), [("zzz", "nothing in the journal"), ("0", "several"), ("../x", "not the beginning")])
def test_show_of_what_is_not_there_is_a_usage_error(home, kept, identifier, text):
    done = run(home, "show", identifier)
    assert done.returncode == 2
    assert text in done.stderr
    assert done.stdout == ""


def test_erase_asks_first(home, kept):
    done = run(home, "erase", "--all", answer="n\n")
    assert done.returncode == 0
    assert "Erase 3 episodes" in done.stderr
    assert lines(run(home, "list", "--json"))[-1]["episodes"] == 3
    assert run(home, "erase", "--all", answer="y\n").returncode == 0
    assert lines(run(home, "list", "--json"))[-1]["episodes"] == 0


def test_erase_without_an_answer_erases_nothing(home, kept):
    assert run(home, "erase", "--all").returncode == 130
    assert lines(run(home, "list", "--json"))[-1]["episodes"] == 3


def test_erase_what_was_chosen(home, kept):
    (summary,) = lines(run(home, "erase", "--workspace", "../other", "--yes", "--json"))
    assert (summary["episodes"], summary["problems"]) == (1, 1)
    assert lines(run(home, "erase", "--before", "1d", "--yes", "--json"))[0]["episodes"] == 0
    assert lines(run(home, "erase", "--before", "2999-01-01", "--yes", "--json"))[0]["episodes"] == 2


@pytest.mark.parametrize(
    "options", [(), ("--all", "--before", "1d"), ("--before", "soon"), ("--before", "99999999d"), ("--all", "--nothing")]
)
def test_erase_wants_to_know_what(home, kept, options):
    done = run(home, "erase", *options, "--yes")
    assert done.returncode == 2
    assert lines(run(home, "list", "--json"))[-1]["episodes"] == 3


def test_a_damaged_journal_is_infrastructure_and_is_kept(home):
    path = journal_file(home)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database " * 500)
    done = run(home, "stats")
    assert done.returncode == 3
    assert "damaged" in done.stderr
    assert "mv " in done.stderr
    assert path.read_bytes() == b"no database " * 500


def test_a_symbolic_link_is_refused(home):
    path = journal_file(home)
    path.parent.mkdir(parents=True)
    path.symlink_to(home / "elsewhere")
    done = run(home, "list")
    assert done.returncode == 3
    assert "symbolic link" in done.stderr
    assert not (home / "elsewhere").exists()


def test_the_settings_name_the_file(home, kept):
    moved = home / "moved.sqlite3"
    journal_file(home).rename(moved)
    assert lines(run(home, "list", "--json", SUTURE_JOURNAL__PATH=str(moved)))[-1]["episodes"] == 3


@pytest.mark.parametrize("command", ["stats", "list", "show", "erase"])
def test_help_has_an_example(home, command):
    done = run(home, command, "--help")
    assert done.returncode == 0
    assert f"suture journal {command}" in done.stdout.partition("Options:")[0]
