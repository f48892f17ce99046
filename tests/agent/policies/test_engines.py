"""Leases, records and locks of engines, with ordinary processes in the place of the engine: no model is needed."""

from __future__ import annotations

import asyncio
import fcntl
import os
import subprocess
import sys
import time

import msgspec
import psutil
import pytest

from suture_agent.policies.children import child, end, output_of
from suture_agent.policies.engine import EngineRecord, EngineSettings
from suture_agent.policies.engines import Lease, attach, is_alive, place_of, running, stop

SETTINGS = EngineSettings(model="/m.gguf", sha256="0" * 64, threads=2)
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"]


def record_of(pid):
    started = psutil.Process(pid).create_time()
    return EngineRecord(pid=pid, started=started, url="http://127.0.0.1:9", key="k", server="s", settings=SETTINGS)


@pytest.fixture
def sleeper():
    process = subprocess.Popen(SLEEP)
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def recorded(tmp_path, sleeper):
    """A running process that is recorded as the engine of SETTINGS."""
    record = record_of(sleeper.pid)
    place_of(SETTINGS, tmp_path).file("record").write_bytes(msgspec.json.encode(record))
    return record


def can_lock(path):
    handle = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(handle)


async def test_a_running_engine_is_taken_not_started(tmp_path, recorded):
    leases = await asyncio.gather(*(attach(SETTINGS, tmp_path) for _ in range(3)))
    assert {lease.record.pid for lease in leases} == {recorded.pid}
    path = place_of(SETTINGS, tmp_path).file("lease")
    for lease in leases:
        assert not can_lock(path)
        lease.release()
        lease.release()
    assert can_lock(path)


async def test_using_a_lease_is_seen_by_the_engine(tmp_path, recorded):
    lease = await attach(SETTINGS, tmp_path)
    path = place_of(SETTINGS, tmp_path).file("lease")
    os.utime(path, (1, 1))
    lease.touch()
    assert time.time() - path.stat().st_mtime < 600
    lease.release()
    os.utime(path, (1, 1))
    lease.touch()
    assert path.stat().st_mtime == 1


async def test_a_lease_is_not_passed_on_to_children(tmp_path, recorded):
    lease = await attach(SETTINGS, tmp_path)
    process = subprocess.Popen(SLEEP, close_fds=False)  # noqa: ASYNC220 - a test has no other task that could wait
    lease.release()
    path = place_of(SETTINGS, tmp_path).file("lease")
    try:  # a process that some other thread starts has the lease between its fork and its exec
        async with asyncio.timeout(5):
            while not can_lock(path):  # noqa: ASYNC110 - a lock has no events to wait on
                await asyncio.sleep(0.01)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


async def test_attaching_waits_for_an_engine_that_is_about_to_end(tmp_path, recorded):
    path = place_of(SETTINGS, tmp_path).file("lease")
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    task = asyncio.create_task(attach(SETTINGS, tmp_path))
    done, _ = await asyncio.wait({task}, timeout=0.3)
    assert not done
    os.close(handle)
    (await task).release()


async def test_waiting_for_a_lease_can_be_cancelled(tmp_path, recorded):
    place = place_of(SETTINGS, tmp_path)
    handle = os.open(place.file("lease"), os.O_RDWR | os.O_CREAT)
    fcntl.flock(handle, fcntl.LOCK_EX)
    task = asyncio.create_task(attach(SETTINGS, tmp_path))
    await asyncio.wait({task}, timeout=0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    os.close(handle)
    assert can_lock(place.file("start"))


def test_settings_decide_which_engine(tmp_path):
    other = msgspec.structs.replace(SETTINGS, context=4096)
    assert place_of(SETTINGS, tmp_path) == place_of(SETTINGS, tmp_path)
    assert place_of(SETTINGS, tmp_path) != place_of(other, tmp_path)


def test_a_reused_pid_is_not_the_engine(sleeper):
    record = record_of(sleeper.pid)
    assert is_alive(record)
    assert not is_alive(msgspec.structs.replace(record, started=record.started - 100))
    sleeper.kill()
    sleeper.wait()
    assert not is_alive(record)


def test_records_that_cannot_be_read_are_no_engines(tmp_path, recorded):
    (tmp_path / "a.record").write_text("not json")
    (tmp_path / "b.record").write_bytes(msgspec.json.encode(msgspec.structs.replace(recorded, started=1.0)))
    assert running(tmp_path) == (recorded,)
    assert running(tmp_path / "nothing") == ()


async def test_stopping_is_idempotent(sleeper):
    record = record_of(sleeper.pid)
    await stop(record)
    assert not is_alive(record)
    await stop(record)


async def test_an_engine_that_does_not_listen_is_killed():
    process = subprocess.Popen(STUBBORN, stdout=subprocess.PIPE)  # noqa: ASYNC220 - a test has no other task that could wait
    assert process.stdout is not None
    process.stdout.readline()
    record = record_of(process.pid)
    await stop(record, grace=0.2)
    assert not is_alive(record)
    process.communicate()


def test_a_released_lease_still_knows_its_engine(sleeper):
    lease = Lease(-1, record_of(sleeper.pid))
    assert lease.alive
    lease.release()
    assert lease.record.pid == sleeper.pid


async def test_helpers_run_outside_the_working_folder(tmp_path, monkeypatch):
    """A workspace with a `json.py` must not be able to run code in a helper."""
    (tmp_path / "json.py").write_text("raise SystemExit('hostile')")
    monkeypatch.chdir(tmp_path)
    code, out, err = await output_of([sys.executable, "-I", "-c", "import json; print(json.__name__)"], cwd=tmp_path)
    assert (code, out.strip(), err) == (0, "json", "")


async def test_a_helper_and_its_children_end_with_the_block(tmp_path):
    code = "import subprocess, sys, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)"
    async with child([sys.executable, "-c", code], cwd=tmp_path) as process:
        assert process.stdout is not None
        pid = int(await process.stdout.readline())
        assert psutil.pid_exists(pid)
    async with asyncio.timeout(20):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - another process has no events to wait on
            await asyncio.sleep(0.02)
    await end(process)


async def test_a_helper_dies_with_its_parent(tmp_path):
    code = (
        "import asyncio, sys; from pathlib import Path; from suture_agent.policies.children import child\n"
        "async def main():\n"
        "    async with child(['sleep', '600'], cwd=Path('/')) as process:\n"
        "        print(process.pid, flush=True); await asyncio.sleep(600)\n"
        "asyncio.run(main())"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220 - a test has no other task that could wait
    assert parent.stdout is not None
    pid = int(await asyncio.to_thread(parent.stdout.readline))
    parent.kill()
    parent.communicate()
    async with asyncio.timeout(20):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - another process has no events to wait on
            await asyncio.sleep(0.02)
