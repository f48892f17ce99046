"""Sudden ends: of the client, the server, the worker, the policy, the disk. Nothing stays behind, and what comes next works."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from lsprotocol import types

BENCH = Path(__file__).parents[2] / "bench"
SERVER = (sys.executable, "-c", "from suture_server.cli import main; main()", "lsp")

SLEEPS = """import ctypes
import time


def total(prices):
    ctypes.CDLL(None).prctl(15, b"stuck")
    time.sleep(600)
    return sum(prices)


def count(prices):
    return len(prices)
"""

CLIENT = """
import asyncio, json, os, sys
from pathlib import Path
from lsp_client import recorded, spawn

async def main():
    root, policy, address = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    if address:
        from lsp_client import Client
        host, port = address.split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 24)
        client = Client(None, reader, writer)
    else:
        command = (sys.executable, "-c", "from suture_server.cli import main; main()", "lsp")
        client = await spawn(command, environ=os.environ, folder=root)
        print(client.process.pid, flush=True)
    options = {"offers": True, "status": True, "settings": {"policy": {"spec": policy}, "editor": {"delay_ms": 50}}}
    await client.initialize(recorded("vscode", root, options))
    for name in ("cart.py", "test_cart.py"):
        item = {"uri": (root / name).as_uri(), "languageId": "python", "version": 1, "text": (root / name).read_text()}
        client.notify("textDocument/didOpen", {"textDocument": item})
    await client.command("suture.check", {})
    print(json.dumps(await client.command("suture.fixAll", {"root": root.as_uri()})), flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def until(what: Callable[[], object], seconds: float = 60) -> None:
    loop = asyncio.get_running_loop()
    over = loop.time() + seconds
    while not what():
        assert loop.time() < over
        await asyncio.sleep(0.05)


def below(pid: int, name: str = "") -> list[psutil.Process]:
    found = []
    for each in psutil.Process(pid).children(recursive=True):
        try:
            if not name or each.name() == name:
                found.append(each)
        except psutil.NoSuchProcess:
            continue
    return found


Program = asyncio.subprocess.Process


@pytest.fixture
async def program(home: dict[str, str]) -> AsyncIterator[Callable[..., Awaitable[Program]]]:
    """Start a program; it is killed with the test."""
    started: list[Program] = []

    async def start(*command: str) -> Program:
        pipe = asyncio.subprocess.PIPE
        started.append(await asyncio.create_subprocess_exec(*command, env={**home, "PYTHONPATH": str(BENCH)}, stdout=pipe, stderr=pipe))
        return started[-1]

    yield start
    for each in started:
        if each.returncode is None:
            each.kill()
        await each.communicate()


def client_of(root: Path, policy: str, address: str = "") -> tuple[str, ...]:
    """The command of an editor with a repair on its way."""
    return (sys.executable, "-c", CLIENT, str(root), policy, address)


async def repairing(it, root: Path):
    """Ask for a repair, and wait until its patch is being proven."""
    buffer, tests = it.open("cart.py"), it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    await it.wait(lambda: it.below("stuck"), 60)
    return buffer, tests


async def test_a_client_that_is_killed_takes_everything_with_it(cart: Path, stuck: str, program, buried):
    client = await program(*client_of(cart, stuck))
    server = int(await client.stdout.readline())
    await until(lambda: below(server, "stuck"))
    processes = [psutil.Process(server), *below(server)]
    client.kill()
    seconds = await buried(processes)
    print(f"everything was gone {seconds:.2f} s after the client was killed")


async def test_a_client_that_is_gone_is_noticed_where_the_pipe_stays_open(editor, cart: Path, stuck: str, program, buried):
    other = await program("sleep", "600")
    it = await editor(cart, policy=stuck, process_id=other.pid)
    await repairing(it, cart)
    processes = [it.process, *it.below()]
    other.kill()
    await other.wait()
    seconds = await buried(processes)
    print(f"everything was gone {seconds:.2f} s after the client was killed")


async def test_a_tcp_client_that_is_killed_leaves_the_other_one_alone(cart: Path, stuck: str, program, buried):
    server = await program(*SERVER, "--tcp", "127.0.0.1:0")
    address = (await server.stderr.readline()).decode().split()[-1]
    first, second = [await program(*client_of(cart, stuck, address)) for _ in range(2)]
    await until(lambda: len({worker_of(each, server.pid) for each in below(server.pid, "stuck")}) == 2)
    workers = psutil.Process(server.pid).children()
    assert len(workers) == 2
    first.kill()
    await until(lambda: len(psutil.Process(server.pid).children()) == 1, 5)
    (left,) = psutil.Process(server.pid).children()
    (gone,) = [each for each in workers if each.pid != left.pid]
    await buried([gone])
    assert below(left.pid, "stuck")
    processes = below(server.pid)
    second.kill()
    await buried(processes)
    assert server.returncode is None
    server.terminate()
    assert await asyncio.wait_for(server.wait(), 5) == 0


def worker_of(process: psutil.Process, server: int) -> int:
    """The child of the server that a process is below of."""
    while process.ppid() != server:
        process = psutil.Process(process.ppid())
    return process.pid


async def test_a_server_that_is_killed_takes_everything_with_it(editor, cart: Path, stuck: str, buried):
    it = await editor(cart, policy=stuck)
    await repairing(it, cart)
    processes = [it.process, *it.below()]
    it.process.kill()
    seconds = await buried(processes)
    print(f"everything was gone {seconds:.2f} s after the server was killed")


async def test_a_worker_that_is_killed_during_a_check_is_one_message(editor, cart: Path, right: str, buried):
    (cart / "cart.py").write_text(SLEEPS)
    it = await editor(cart, policy=right)
    buffer = it.open("cart.py")
    await it.wait(lambda: it.below("stuck"))
    processes, (worker,) = it.below(), it.workers()
    worker.kill()
    await buried(processes)
    await it.wait(it.messages)
    buffer.path.write_text(buffer.text)
    it.change(buffer, "    time.sleep(600)\n    return sum(prices)\n", "    return sum(prices) + 1\n")
    it.save(buffer)
    await it.failing()
    (said,) = it.messages()
    assert "suture cannot run the checks of cart: the worker process ended (exit code -9)" in said


async def test_a_worker_that_is_killed_during_a_repair_is_one_message(editor, cart: Path, stuck: str, buried):
    it = await editor(cart, policy=stuck)
    _, tests = await repairing(it, cart)
    processes, (worker,) = it.below(), it.workers()
    worker.kill()
    await buried(processes)
    await it.wait(it.messages)
    (action,) = await it.actions(tests, 4)
    assert action.disabled is None
    await it.choose(action)
    await it.wait(lambda: it.below("stuck"), 60)
    assert await it.command("suture.cancel") == {"cancelled": 1}
    assert it.messages() == ["Fix with agent: the worker process ended (exit code -9)"]
    assert it.decisions() == []


async def test_a_cancelled_repair_is_dead_whatever_it_does(editor, cart: Path, stuck: str, buried):
    it = await editor(cart, policy=stuck)
    _, tests = await repairing(it, cart)
    (worker,) = it.workers()
    attempts = [each for each in it.below("bwrap") if "control, module, calls" not in " ".join(each.cmdline())]
    processes = [*attempts, *it.below("stuck")]  # what is kept warm for the next attempt goes on
    assert len(processes) > 1
    loop = asyncio.get_running_loop()
    began = loop.time()
    assert await it.command("suture.cancel") == {"cancelled": 1}
    answered = loop.time() - began
    seconds = await buried(processes)
    print(f"the cancelling was answered after {answered:.3f} s, and everything was gone {seconds:.3f} s later")
    assert it.workers() == [worker]
    (action,) = await it.actions(tests, 4)
    assert action.disabled is None
    assert it.journal("SELECT outcome FROM episodes") == [("cancelled",)]


async def test_a_repair_that_is_cancelled_before_it_begins_is_forgotten(editor, cart: Path, right: str):
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    (argument,) = action.command.arguments
    asking = it.client.workspace_execute_command_async(types.ExecuteCommandParams("suture.fix", [argument]))
    cancelling = it.client.workspace_execute_command_async(types.ExecuteCommandParams("suture.cancel", [{}]))
    await asyncio.gather(asking, cancelling)
    await it.command("suture.cancel")
    (again,) = await it.actions(tests, 4)
    assert again.disabled is None
    await it.choose(again)
    await it.offered()


async def test_a_policy_that_is_down_is_one_message_and_comes_back(editor, cart: Path, unused_port: int):
    it = await editor(cart, policy=f"http://127.0.0.1:{unused_port}/v1")
    tests = it.open("test_cart.py")
    await it.failing()
    (action,) = await it.actions(tests, 4)
    await it.choose(action)
    await it.wait(lambda: it.status[-1]["policy"] == "down", 60)
    (down,) = await it.actions(tests, 4)
    assert "the policy does not answer; it is asked again in" in down.disabled.reason
    refused = await it.command("suture.fix", root=it.uri("."), problem=action.command.arguments[0]["problem"])
    assert "the policy does not answer" in refused["refused"]

    async def models(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = json.dumps({"data": [{"id": "some-model"}]}).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(models, "127.0.0.1", unused_port):
        await it.wait(lambda: it.status[-1]["policy"] == "ready", 60)
        (back,) = await it.actions(tests, 4)
        assert back.disabled is None
    (said,) = it.messages()
    assert said.startswith(f"suture: the policy does not answer: nothing answers at http://127.0.0.1:{unused_port}/v1")


async def test_a_policy_that_goes_down_in_an_episode_is_one_message_and_comes_back(editor, cart: Path, unused_port: int):
    answers = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = (await reader.readuntil(b"\r\n\r\n")).split()[1]
        there = answers or asked != b"/v1/chat/completions"
        body = json.dumps({"data": [{"id": "some-model"}]} if asked == b"/v1/models" and there else {"error": {"message": "going down"}})
        status = "200 OK" if asked == b"/v1/models" and (answers or not failed) else "503 Down\r\nretry-after-ms: 1"
        failed.extend([asked] * (not there))
        head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write((head + body).encode())
        await writer.drain()
        writer.close()

    failed: list[bytes] = []
    async with await asyncio.start_server(serve, "127.0.0.1", unused_port):
        it = await editor(cart, policy=f"http://127.0.0.1:{unused_port}/v1", settings={"harness": {"edits_by_rule": "off"}})
        tests = it.open("test_cart.py")
        await it.failing()
        (action,) = await it.actions(tests, 4)
        await it.choose(action)
        await it.wait(lambda: it.status[-1]["policy"] == "down", 60)
        assert failed
        (down,) = await it.actions(tests, 4)
        assert "the policy does not answer; it is asked again in" in down.disabled.reason
        assert it.journal("SELECT outcome FROM episodes") == [("infrastructure",)]
        answers = True
        await it.wait(lambda: it.status[-1]["policy"] == "ready", 60)
        (back,) = await it.actions(tests, 4)
        assert back.disabled is None
    (said,) = it.messages()
    assert said.startswith("suture: the policy does not answer: ")


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_journal_that_cannot_be_written_offers_nothing(editor, cart: Path, right: str):
    (home_data := cart.parent / "xdg_data_home").mkdir()
    (home_data / "suture").write_text("in the way")
    it = await editor(cart, policy=right)
    tests = it.open("test_cart.py")
    await it.wait(it.messages)
    assert await it.actions(tests, 4) == []
    answer = await it.command("suture.check")
    assert "journal" in answer["refused"]
    (said,) = it.messages()
    assert "suture cannot run the checks of cart" in said
    assert it.offers == []
    (home_data / "suture").unlink()
    it.save(tests)
    await it.failing()


ALONE = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--mount")
FULL = """
place=$1 free=$2; shift 2
mkdir -p "$place" && mount -t tmpfs -o size=4m tmpfs "$place" || exit 77
head -c 8m /dev/zero > "$place/.fill" 2>/dev/null
truncate -s "-$free" "$place/.fill"
exec "$@"
"""


def can_mount() -> bool:
    return subprocess.run([*ALONE, "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize("free", [0, 200_000])
async def test_a_full_disk_offers_nothing_that_is_not_in_the_journal(editor, cart: Path, right: str, home: dict[str, str], free: int):
    if not can_mount():
        pytest.skip("no file systems can be mounted here")
    place = Path(home["XDG_DATA_HOME"], "suture")
    it = await editor(cart, policy=right, through=(*ALONE, "sh", "-c", FULL, "sh", str(place), str(free)))
    tests = it.open("test_cart.py")
    await it.wait(lambda: it.messages() or it.diagnostics("test_cart.py"))
    for action in await it.actions(tests, 4):
        await it.choose(action)
    await it.wait(lambda: it.messages("full"), 60)
    assert it.offers == []
    assert await it.command("suture.offers") == []
    assert len(it.messages("full")) == 1
