"""Frozen time in real attempts: Python and C programs see one instant, clocks that measure run on, and the identity says so."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from suture_sandbox.backend import Command
from suture_sandbox.capture import capture_fields, clock, runtime_of
from suture_sandbox.capture.interpreter import inspect
from suture_sandbox.environment import Environment, Limits
from suture_sandbox.errors import ConfigurationError
from suture_sandbox.identity import differences
from suture_sandbox.local import LocalBackend
from suture_sandbox.resolve import freeze
from suture_sandbox.snapshot import Snapshot

MOMENT = "2024-01-01T00:00:00Z"
SECONDS = 1704067200
BASE = Path(os.path.realpath(sys.executable))
SHARED = Path("/dev/shm")

PROGRAM = """
import datetime, os, subprocess, sys, threading, time
began = time.monotonic()
time.sleep(0.05)
try:
    subprocess.run(["sleep", "30"], timeout=0.1)
except subprocess.TimeoutExpired:
    pass
assert not threading.Event().wait(0.05)
assert 0.15 < time.monotonic() - began < 20, "clocks that measure run on"
os.environ["TZ"] = "Asia/Tokyo"
time.tzset()
assert abs(os.stat(__file__).st_mtime - %d) > 1000, "dates of files are real"
print(time.time(), datetime.datetime.now(datetime.timezone.utc).isoformat())
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Shared, since finding out about the interpreter takes a second."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
async def attempt(tmp_path, cache):
    """Run commands in real attempts on the environment of this interpreter, its clock frozen or not."""
    root = tmp_path / "work"
    root.mkdir()
    (root / "clock.py").write_text(PROGRAM % SECONDS)
    backend = LocalBackend()
    if not (await backend.probe()).available:
        pytest.skip("this machine does not let the backend isolate")

    async def run(*argv, moment=MOMENT):
        runtime = runtime_of(inspect(BASE, root=root, cache=cache), root=root)
        runtime = await freeze(runtime, moment, root=root, cache=cache)
        isolation = {"backend": "local", "network": "none"}
        fields, _ = await asyncio.to_thread(
            capture_fields, runtime, root=root, checks=(), limits=Limits(), isolation=isolation, cache=cache
        )
        environment = Environment(fields, runtime, Limits(seconds=60))
        return environment, await backend.run(Snapshot(root), environment, Command(argv=argv))

    yield run
    await backend.close()


async def test_python_and_c_see_the_frozen_instant(attempt):
    environment, done = await attempt("python3", "clock.py")
    assert (done.exit_code, done.stderr) == (0, b"")
    assert done.stdout.decode().split() == [f"{SECONDS}.0", "2024-01-01T00:00:00+00:00"]
    _, done = await attempt("sh", "-c", "date +%s; TZ=America/New_York date +%s; sleep 0.1; date -u +%Y-%m-%d")
    assert done.stdout.decode().split() == [str(SECONDS), str(SECONDS), "2024-01-01"]
    assert any(MOMENT in note for note in environment.runtime.notes)


async def test_frozen_time_is_part_of_the_identity_and_names_no_path(attempt):
    running, done = await attempt("date", "+%s", moment="")
    assert int(done.stdout) > SECONDS + 1000
    frozen, _ = await attempt("true")
    other, _ = await attempt("true", moment="2024-01-01T00:00:01+00:00")
    same, _ = await attempt("true", moment="2024-01-01T01:00:00+01:00")
    assert [item.field for item in differences(frozen.fields, other.fields)] == ["variables.FAKETIME"]
    assert same.identity == frozen.identity, "the same instant, written in another zone"
    changed = {item.field for item in differences(running.fields, frozen.fields)}
    assert changed == {
        *("toolchain.preloaded", "variables.FAKETIME", "variables.FAKETIME_FMT"),
        *("variables.FAKETIME_DONT_FAKE_MONOTONIC", "variables.NO_FAKE_STAT"),
    }


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("yesterday", "no instant"),
        ("2024-01-01T00:00:00", "no zone"),
        ("2024-01-01", "no zone"),
        ("2024-01-01T00:00:00.5Z", "part of a second"),
        ("1969-01-01T00:00:00Z", "between 1970 and 2100"),
        ("2500-01-01T00:00:00Z", "between 1970 and 2100"),
        ("x" * 5000, "no instant"),
    ],
)
def test_what_is_no_instant_is_refused(moment, said):
    with pytest.raises(ConfigurationError, match=said) as caught:
        clock.epoch_of(moment)
    assert "frozen_time = " in caught.value.remedy
    assert len(str(caught.value)) < 200


async def test_a_machine_without_a_library_that_works_says_what_to_install(attempt, monkeypatch, tmp_path):
    broken = tmp_path / "libfaketime.so.1"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(clock, "libraries", lambda: iter([broken, Path("/gone/libfaketime.so.1")]))
    with pytest.raises(ConfigurationError, match="no libfaketime") as caught:
        await attempt("true")
    assert "pip install libfaketime" in caught.value.remedy


def test_the_probe_leaves_nothing_behind():
    before = set(SHARED.iterdir())
    library = next(clock.libraries())
    assert clock._works(BASE, clock.variables_for(str(library), SECONDS), SECONDS)
    assert {path for path in set(SHARED.iterdir()) - before if "faketime" in path.name} == set()
