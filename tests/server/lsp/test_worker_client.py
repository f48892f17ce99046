"""The real worker process behind the client that asks it: started once, cancelled for good, killed, orphaned, and never taken over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from suture_server.lsp.worker_client import MOST_DEATHS, WorkerClient, WorkerRefused
from suture_server.worker import wire

SLOW = "import time\n\n\ndef test_slow():\n    time.sleep(600)\n"
PARENT = """
import asyncio, sys
from pathlib import Path
from suture_server.lsp.worker_client import WorkerClient
from suture_server.worker import wire

async def main():
    client = WorkerClient(Path(sys.argv[1]), dict, lambda event: None)
    await client.opened()
    print(client.pid, flush=True)
    await client.ask(wire.Checked, lambda number: wire.Check(id=number, generation=1))

asyncio.run(main())
"""

Start = Callable[..., WorkerClient]


@pytest.fixture
async def start(home: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    for name, value in home.items():
        monkeypatch.setenv(name, value)
    made: list[WorkerClient] = []

    def begin(root: Path, heard: Callable[[wire.FromWorker], None] = lambda _event: None, **overrides: Any) -> WorkerClient:
        made.append(WorkerClient(root, lambda: overrides, heard))
        return made[-1]

    yield begin
    for each in made:
        await each.end()
        await each.end()
        assert each.pid is None


def check(generation: int = 1) -> Callable[[int], wire.Check]:
    return lambda number: wire.Check(id=number, generation=generation)


def probe(number: int) -> wire.Restore:
    """Something that is answered at once."""
    return wire.Restore(id=number)


OFFERS = tuple[wire.Offer, ...]


def attempts(pid: int) -> list[psutil.Process]:
    """What runs in the sandbox for a worker, with the sandbox itself."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [each for each in psutil.Process(pid).children(recursive=True) if "bwrap" in named(each) or "-m pytest" in named(each)]
    return []


def named(process: psutil.Process) -> str:
    try:
        return f"{process.name()} {' '.join(process.cmdline())}"
    except psutil.NoSuchProcess:
        return ""


async def running(pid: int) -> list[psutil.Process]:
    """The processes of an attempt in which pytest runs by now."""
    async with asyncio.timeout(30):
        while not any("-m pytest" in named(each) and "bwrap" not in named(each) for each in attempts(pid)):  # noqa: ASYNC110  # no event tells it
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.2)
    return attempts(pid)


async def gone(processes: list[psutil.Process]) -> None:
    assert processes
    _, left = await asyncio.to_thread(psutil.wait_procs, processes, timeout=10)
    assert [named(each) for each in left if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []


async def test_many_askers_open_one_worker(start: Start, cart: Path):
    client = start(cart)
    assert client.pid is None
    found = await asyncio.gather(*(client.opened() for _ in range(20)), *(client.ask(OFFERS, probe) for _ in range(20)))
    assert len({id(each) for each in found[:20]}) == 1
    assert client.told is found[0]
    assert "tests" in [each.name for each in found[0].checks]
    assert len([each for each in psutil.Process().children() if "suture_server.worker" in named(each)]) == 1
    pid = client.pid
    assert await client.ask(OFFERS, probe) == ()
    assert client.pid == pid
    assert client.idle_seconds < 60


async def test_events_are_heard_and_one_that_is_not_understood_costs_nothing(start: Start, cart: Path):
    events: list[wire.FromWorker] = []

    def heard(event: wire.FromWorker) -> None:
        events.append(event)
        raise KeyError("a mistake of whoever hears it")

    client = start(cart, heard)
    assert (await client.ask(wire.Checked, check())).generation == 1
    assert [type(each).__name__ for each in events if not isinstance(each, wire.Note | wire.Changed)][-1] == "Settled"
    assert sum(len(each.findings) for each in events if isinstance(each, wire.Found)) == 2


async def test_buffers_are_what_is_checked(start: Start, cart: Path):
    events: list[wire.FromWorker] = []
    client = start(cart, events.append)
    client.say(wire.Buffers(changed={}))  # nobody is there
    await client.opened()
    client.say(
        wire.Buffers(
            changed={"cart.py": b"def total(prices):\n    return sum(prices)\n\n\ncount = len\n", "../x.py": b"", ".git/config": b"x"}
        )
    )
    await client.ask(wire.Checked, check())
    assert [each.status for each in events if isinstance(each, wire.Ended) and each.check == "tests"] == ["passed"]


async def test_a_cancelled_request_is_dead_when_the_cancelling_is_over(start: Start, cart: Path):
    (cart / "test_slow.py").write_text(SLOW)
    client = start(cart)
    await client.opened()
    asking = asyncio.ensure_future(client.ask(wire.Checked, check()))
    processes = await running(client.pid)
    pid = client.pid
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
    assert client.pid == pid
    assert await client.ask(OFFERS, probe) == ()


async def test_a_newer_check_takes_the_place_of_an_older_one(start: Start, cart: Path):
    (cart / "test_slow.py").write_text(SLOW)
    client = start(cart)
    await client.opened()
    older = asyncio.ensure_future(client.ask(wire.Checked, check(1)))
    processes = await running(client.pid)
    (cart / "test_slow.py").unlink()
    assert (await client.ask(wire.Checked, check(2))).generation == 2
    with pytest.raises(WorkerRefused) as refused:
        await older
    assert refused.value.kind == "gone"
    await gone(processes)


async def test_a_killed_worker_costs_what_was_asked_and_no_more(start: Start, cart: Path):
    (cart / "test_slow.py").write_text(SLOW)
    client = start(cart)
    await client.opened()
    asking = [asyncio.ensure_future(client.ask(wire.Checked, check())) for _ in range(3)]
    processes = await running(client.pid)
    first = client.pid
    os.kill(first, signal.SIGKILL)
    for each in await asyncio.gather(*asking, return_exceptions=True):
        assert isinstance(each, WorkerRefused)
        assert each.kind == "infrastructure"
        assert "exit code -9" in str(each)
    assert client.pid is None
    assert client.told is None
    await gone(processes)
    assert await client.ask(OFFERS, probe) == ()
    assert client.pid not in (None, first)


async def test_a_worker_that_dies_again_and_again_is_not_started_again(start: Start, cart: Path):
    client = start(cart)
    for _ in range(MOST_DEATHS):
        await client.opened()
        asking = asyncio.ensure_future(client.ask(wire.Checked, check()))
        await asyncio.sleep(0)
        os.kill(client.pid, signal.SIGKILL)
        with pytest.raises(WorkerRefused):
            await asking
    for _ in range(2):
        with pytest.raises(WorkerRefused, match=rf"ended {MOST_DEATHS} times within a minute.*suture\.restart") as refused:
            await client.ask(OFFERS, probe)
        assert refused.value.kind == "infrastructure"
    assert client.pid is None
    client.forgive()
    assert await client.ask(OFFERS, probe) == ()


async def test_a_workspace_that_cannot_be_opened_says_why_and_is_tried_again(start: Start, cart: Path):
    (cart / "suture.toml").write_text("nonsense = [\n")
    client = start(cart)
    for _ in range(2):
        with pytest.raises(WorkerRefused) as refused:
            await client.opened()
        assert refused.value.kind == "configuration"
        assert client.told is None
    pid = client.pid
    (cart / "suture.toml").unlink()
    assert await client.ask(OFFERS, probe) == ()
    assert client.pid == pid
    with pytest.raises(WorkerRefused) as refused:
        await client.ask(wire.Text, lambda number: wire.Transcript(id=number, episode="none"))
    assert "none" in str(refused.value)


async def test_who_waits_while_the_worker_is_ended_is_told(start: Start, cart: Path):
    client = start(cart)
    opening = [asyncio.ensure_future(client.opened()) for _ in range(2)]
    await asyncio.sleep(0.1)
    await client.end()
    for each in await asyncio.gather(*opening, return_exceptions=True):
        assert isinstance(each, WorkerRefused)
        assert each.kind == "gone"
    assert await client.ask(OFFERS, probe) == ()
    asking = asyncio.ensure_future(client.ask(wire.Checked, check()))
    await asyncio.sleep(0.1)
    worker = psutil.Process(client.pid)
    await client.end()
    with pytest.raises(WorkerRefused, match="the worker was ended"):
        await asking
    assert not worker.is_running()


async def test_who_gives_up_waiting_does_not_end_the_opening_for_others(start: Start, cart: Path):
    client = start(cart)
    first, second = (asyncio.ensure_future(client.opened()) for _ in range(2))
    await asyncio.sleep(0.05)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await second).checks


async def test_what_cannot_be_sent_leaves_nothing_behind(start: Start, cart: Path):
    client = start(cart)
    await client.opened()
    with pytest.raises(UnicodeEncodeError):
        await client.ask(wire.Text, lambda number: wire.Transcript(id=number, episode="\ud800"))
    assert await client.ask(OFFERS, probe) == ()
    await asyncio.sleep(0.01)
    assert client.idle_seconds > 0


async def test_the_worker_dies_with_its_parent(cart: Path, home: dict[str, str]):
    (cart / "test_slow.py").write_text(SLOW)
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, str(cart), stdout=subprocess.PIPE, env=home)
    pid = int(await parent.stdout.readline())
    worker, processes = psutil.Process(pid), await running(pid)
    parent.kill()
    await parent.wait()
    await gone([worker, *processes])


async def test_a_worker_without_its_parent_does_not_begin(cart: Path, home: dict[str, str]):
    command = [sys.executable, "-P", "-m", "suture_server.worker", "0", str(cart), "1"]
    done = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL, env=home)
    assert await asyncio.wait_for(done.wait(), 10) == 0


async def test_no_module_of_the_workspace_is_imported(start: Start, cart: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    mark = tmp_path / "imported"
    hostile = f"open({str(mark)!r}, 'a').write(__name__)\n"
    for name in (
        "suture_server",
        "suture_agent",
        "suture_sandbox",
        "msgspec",
        "sitecustomize",
        "usercustomize",
        "socket",
        "asyncio",
        "json",
        "pygls",
    ):
        (cart / f"{name}.py").write_text(hostile)
    (cart / "site-packages.pth").write_text(f"import os; os.system('touch {mark}')\n")
    monkeypatch.chdir(cart)
    client = start(cart)
    await client.ask(wire.Checked, check())
    assert not mark.exists()
