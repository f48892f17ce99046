"""The memo of results, and the content key that it goes by: nothing that a check can read may change without a new key."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from pathlib import Path

import msgspec
import pytest

from suture_sandbox import memo as memo_module
from suture_sandbox.backend import Command, Completed
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.content import ContentIndex
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.flaky.perturb import HASHED
from suture_sandbox.memo import LONGEST_SECONDS, Memo
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

TOOL = Check(name="tests", kind="tests", command=("tool",), report="generic", timeout=30, selectable=True)
RUNTIME = Runtime(python="/usr/bin/python3", search_path=("/usr/bin",), readonly=())
ENVIRONMENT = Environment(EnvironmentFields(checks={"tests": TOOL}), RUNTIME)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "shop"
    (root / "data").mkdir(parents=True)
    (root / "code.py").write_text("x = 1\n")
    (root / "data" / "prices.csv").write_text("1\n")
    return root


@pytest.fixture
def index(root: Path) -> ContentIndex:
    return ContentIndex(root, ENVIRONMENT)


def content(index: ContentIndex, root: Path, **edits: bytes | None) -> str:
    return index.key(Snapshot(root, {name.replace("__", "."): text for name, text in edits.items()})).content


CHANGES = {
    "data": lambda root: (root / "data" / "prices.csv").write_text("2\n"),
    "same size and same second": lambda root: (root / "code.py").write_text("x = 2\n"),
    "same size, same time stamp": lambda root: rewrite_in_place(root / "code.py", "x = 2\n"),
    "permissions": lambda root: (root / "code.py").chmod(0o755),
    "a new file": lambda root: (root / "data" / "new.txt").write_text(""),
    "a new folder": lambda root: (root / "empty").mkdir(),
    "a file less": lambda root: (root / "data" / "prices.csv").unlink(),
    "another name": lambda root: (root / "code.py").rename(root / "code2.py"),
    "a link": lambda root: (root / "link").symlink_to("code.py"),
    "git's own files": lambda root: ((root / ".git").mkdir(), (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n")),
    "what git ignores": lambda root: ((root / "build").mkdir(), (root / "build" / "lib.so").write_bytes(b"\0")),
}


def rewrite_in_place(path: Path, text: str) -> None:
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_that_a_check_can_see_gives_another_key(root, index, change, settled, monkeypatch):
    if settled:  # as if all files were old, so that only their stamps say that something changed
        monkeypatch.setattr("suture_sandbox.content.UNSETTLED_NS", -(10**12))
    before = index.key(Snapshot(root))
    assert index.key(Snapshot(root)) == before
    time.sleep(0.02)  # longer than a tick of the kernel's clock, by which change times go
    CHANGES[change](root)
    after = index.key(Snapshot(root))
    assert after.content != before.content
    assert after.moment > before.moment


def test_content_that_changed_back_is_equal_and_another_moment(root, index):
    before = index.key(Snapshot(root))
    (root / "code.py").write_text("x = 2\n")
    index.key(Snapshot(root))
    (root / "code.py").write_text("x = 1\n")
    after = index.key(Snapshot(root))
    assert (after.content, after.moment) == (before.content, before.moment + 2)


def test_edit_that_says_what_the_disk_says_is_none(root, index):
    plain = content(index, root)
    edited = content(index, root, code__py=b"x = 2\n")
    assert content(index, root, code__py=b"x = 1\n", gone__py=None) == plain
    assert len({plain, edited, content(index, root, code__py=None), content(index, root, new__py=b"")}) == 4
    (root / "code.py").write_text("x = 2\n")
    assert content(index, root, code__py=b"x = 1\n") != content(index, root)


def test_bytecode_and_what_is_masked_do_not_count(root, index):
    (root / ".env").write_text("KEY=1\n")
    before = content(index, root)
    (root / "__pycache__").mkdir()
    (root / "__pycache__" / "code.cpython-311.pyc").write_bytes(b"\0")
    (root / ".env").write_text("KEY=2\n")
    assert content(index, root) == before


class Tool:
    """A check that counts its runs and fails where the code says so."""

    def __init__(self) -> None:
        self.runs = 0
        self.during = lambda: None
        self.code: int | None = None

    async def run(self, view: View, _argv: tuple[str, ...]) -> int:
        self.runs += 1
        self.during()
        if b"bad" in view.read("code.py"):
            view.print("code.py:1:1: error: bad word\n")
            return 1
        return self.code or 0


@pytest.fixture
def tool() -> Tool:
    return Tool()


def sandbox_of(tool: Tool, folder: Path | None = None, environment: Environment = ENVIRONMENT) -> Sandbox:
    return Sandbox(MemoryBackend({"tool": tool.run}), environment, memo=Memo(folder))


async def test_equal_content_is_run_once_and_only_for_who_asks(root, tool):
    sandbox, snapshot = sandbox_of(tool), Snapshot(root)
    first = await sandbox.check(TOOL, snapshot, memo=True)
    assert await sandbox.check(TOOL, snapshot.with_edits({"code.py": b"x = 1\n"}), memo=True) == first
    assert (tool.runs, sandbox.memo.hits, sandbox.memo.misses) == (1, 1, 1)
    await sandbox.check(TOOL, snapshot)
    await sandbox.check(TOOL, snapshot, memo=True, perturbation=HASHED[0])
    assert tool.runs == 3
    bad = await sandbox.check(TOOL, snapshot.with_edits({"code.py": b"bad\n"}), memo=True)
    assert (bad.status, tool.runs) == ("failed", 4)
    await sandbox.check(TOOL, snapshot, select=["t"], memo=True)
    await sandbox.check(msgspec.structs.replace(TOOL, command=("tool", "-v")), snapshot, memo=True)
    assert tool.runs == 6
    await sandbox.forget(TOOL, snapshot)
    await sandbox.check(TOOL, snapshot, memo=True)
    assert tool.runs == 7


async def test_another_environment_or_place_has_results_of_its_own(root, tool, tmp_path):
    memo = Memo()
    other = Environment(EnvironmentFields(checks={"tests": TOOL}, variables={"A": "1"}), RUNTIME)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "code.py").write_text("x = 1\n")
    (root / "data" / "prices.csv").unlink()
    (root / "data").rmdir()
    for environment, place in ((ENVIRONMENT, root), (other, root), (ENVIRONMENT, elsewhere)):
        await Sandbox(MemoryBackend({"tool": tool.run}), environment, memo=memo).check(TOOL, Snapshot(place), memo=True)
    assert (tool.runs, memo.hits) == (3, 0)


async def test_what_did_not_end_by_itself_is_not_kept(root, tool):
    sandbox = sandbox_of(tool)
    for code in (127, -9):
        tool.code = code
        assert (await sandbox.check(TOOL, Snapshot(root), memo=True)).status in ("infrastructure", "crashed")
    tool.code = 0
    assert (await sandbox.check(TOOL, Snapshot(root), memo=True)).passed
    assert tool.runs == 3


async def test_run_during_which_a_file_changed_is_not_kept(root, tool):
    sandbox = sandbox_of(tool)

    def edit() -> None:
        (root / "data" / "prices.csv").write_text("9\n")

    tool.during = edit
    await sandbox.check(TOOL, Snapshot(root), memo=True)
    await sandbox.check(TOOL, Snapshot(root), memo=True)
    assert tool.runs == 2


async def test_results_on_the_disk_are_private_outlive_the_program_and_expire(root, tool, tmp_path, monkeypatch):
    folder = tmp_path / "cache" / "results"
    first = await sandbox_of(tool, folder).check(TOOL, Snapshot(root), memo=True)
    (kept,) = folder.iterdir()
    assert (stat.S_IMODE(kept.stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o600, 0o700)
    assert await sandbox_of(tool, folder).check(TOOL, Snapshot(root), memo=True) == first
    assert tool.runs == 1
    moment = kept.stat().st_mtime
    monkeypatch.setattr(memo_module.time, "time", lambda: moment + LONGEST_SECONDS + 1)
    await sandbox_of(tool, folder).check(TOOL, Snapshot(root), memo=True)
    assert tool.runs == 2
    monkeypatch.setattr(memo_module.time, "time", lambda: moment + LONGEST_SECONDS - 3600)  # the clock was put back
    await sandbox_of(tool, folder).check(TOOL, Snapshot(root), memo=True)
    assert tool.runs == 3


@pytest.mark.parametrize("damage", [b"", b"\0" * 40, None])
async def test_damaged_result_is_none(root, tool, tmp_path, damage):
    folder = tmp_path / "results"
    await sandbox_of(tool, folder).check(TOOL, Snapshot(root), memo=True)
    (kept,) = folder.iterdir()
    kept.write_bytes(kept.read_bytes()[:-1] + b"\7" if damage is None else damage)
    await sandbox_of(tool, folder).check(TOOL, Snapshot(root), memo=True)
    assert tool.runs == 2


def test_memo_is_bounded_in_memory_and_on_the_disk(root, tmp_path, monkeypatch):
    monkeypatch.setattr(memo_module, "MOST_IN_MEMORY", 10)
    monkeypatch.setattr(memo_module, "MOST_ON_DISK", 20)
    memo = Memo(tmp_path / "results")
    for number in range(70):
        ticket = memo.ticket(ENVIRONMENT, TOOL, Snapshot(root), (str(number),), 30)
        memo.put(ticket, Snapshot(root), CheckResult(check="tests", status="passed"))
    assert len(memo._results) == 10
    assert len(list((tmp_path / "results").iterdir())) <= 20 + 64
    memo._tidy()
    assert len(list((tmp_path / "results").iterdir())) == 20


async def test_what_a_program_said_of_equal_content_is_kept_where_it_is_asked_for(root, tool, tmp_path):
    folder = tmp_path / "results"
    command = Command(argv=("tool",), stdin=b"x", keep=True)
    first = await sandbox_of(tool, folder).run(Snapshot(root), command, memo=True)
    assert await sandbox_of(tool, folder).run(Snapshot(root), command, memo=True) == first  # from the disk
    assert tool.runs == 1
    sandbox = sandbox_of(tool, folder)
    await sandbox.run(Snapshot(root), command)  # nobody asked
    for number, other in enumerate(
        (
            (Snapshot(root), msgspec.structs.replace(command, argv=("tool", "-v"))),
            (Snapshot(root), msgspec.structs.replace(command, stdin=b"y")),
            (Snapshot(root), msgspec.structs.replace(command, variables={"A": "b"})),
            (Snapshot(root).with_edits({"code.py": b"x = 2\n"}), command),
        )
    ):
        await sandbox.run(*other, memo=True)
        assert tool.runs == 3 + number
    await sandbox.run(Snapshot(root), msgspec.structs.replace(command, nice=5), memo=True)  # how urgent it is decides nothing
    assert tool.runs == 6


async def test_a_program_that_did_not_end_by_itself_is_run_again(root):
    async def hang(view, argv):
        await asyncio.sleep(60)

    async def count(view, argv):
        runs.append(1)
        await hang(view, argv)

    runs: list[int] = []
    sandbox = Sandbox(MemoryBackend({"tool": count}), ENVIRONMENT, memo=Memo())
    for number in (1, 2):
        done = await sandbox.run(Snapshot(root), Command(argv=("tool",), seconds=0), memo=True)
        assert (done.ended, len(runs)) == ("timeout", number)


def test_what_programs_printed_is_bounded(root, monkeypatch):
    monkeypatch.setattr(memo_module, "MOST_PRINTED", 1000)
    memo = Memo()
    for number in range(20):
        ticket = memo.ticket_of_command(ENVIRONMENT, Command(argv=("tool", str(number))), Snapshot(root))
        memo.put(ticket, Snapshot(root), Completed(ended="exited", exit_code=0, stdout=b"x" * 300))
    assert (len(memo._results), memo._printed) == (3, 900)
    memo.forget(ticket)
    assert (len(memo._results), memo._printed) == (2, 600)
