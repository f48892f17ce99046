"""Clients' side of the embedded engines: find one that runs, start one that does not, hold it, stop it.

A client holds a lease: a shared lock on the engine's lease file. The kernel drops it when the client is gone, however it went. Starting is
serialised by another lock, so two clients that come at once share one engine.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import hashlib
import os
import platform
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from suture_agent.errors import PolicyUnavailable
from suture_agent.places import state_folder
from suture_agent.policies.children import output_of
from suture_agent.policies.engine import EngineRecord, EngineSettings, Place

_POLL = 0.05
LOADING = 300.0
"""Seconds that loading a model may take, on a slow disk."""
_PASSED_ON = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "TMPDIR")


class Lease:
    """A held engine."""

    def __init__(self, handle: int, record: EngineRecord) -> None:
        self.record = record
        self._handle = handle

    def touch(self) -> None:
        """Tell the engine that it is in use."""
        if self._handle >= 0:
            os.utime(self._handle)

    @property
    def alive(self) -> bool:
        """Whether the engine still runs."""
        return is_alive(self.record)

    def release(self) -> None:
        """Let go; idempotent. The engine ends by itself when nobody holds it."""
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)


def default_folder() -> Path:
    """Folder of the user's state where engines are recorded."""
    return state_folder() / "engines"


def place_of(settings: EngineSettings, folder: Path) -> Place:
    """The files of the engine with these settings. The host is part of the name: homes are shared between machines, processes are not."""
    name = hashlib.sha256(msgspec.json.encode([platform.node(), sys.executable, settings])).hexdigest()[:16]
    return Place(folder=str(folder), name=name)


async def attach(settings: EngineSettings, folder: Path | None = None) -> Lease:
    """Hold the engine with these settings, started if none runs. Raises PolicyUnavailable."""
    where = folder or default_folder()
    await asyncio.to_thread(where.mkdir, mode=0o700, parents=True, exist_ok=True)
    place = place_of(settings, where)
    async with _locked(place.file("start"), fcntl.LOCK_EX):
        handle = await _lock(place.file("lease"), fcntl.LOCK_SH)
        try:
            os.utime(handle)
            record = _read(place.file("record"))
            if record is None or not is_alive(record):
                record = await _launch(place, settings)
            return Lease(handle, record)
        except BaseException:
            os.close(handle)
            raise


def running(folder: Path | None = None) -> tuple[EngineRecord, ...]:
    """The engines of this user that run."""
    found = [_read(path) for path in sorted((folder or default_folder()).glob("*.record"))]
    return tuple(record for record in found if record is not None and is_alive(record))


async def stop(record: EngineRecord, grace: float = 5.0) -> None:
    """End an engine now, whoever holds it; its clients start another when they need one."""
    for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            if is_alive(record):
                os.kill(record.pid, number)
        for _ in range(int(seconds / _POLL)):
            if not is_alive(record):
                return
            await asyncio.sleep(_POLL)


def is_alive(record: EngineRecord) -> bool:
    """Whether the very process of the record runs."""
    return _runs(record.pid, record.started)


def _runs(pid: int, started: float | None = None) -> bool:
    import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

    try:
        process = psutil.Process(pid)
        return bool(process.status() != psutil.STATUS_ZOMBIE and started in {None, process.create_time()})
    except psutil.Error:
        return False


async def _launch(place: Place, settings: EngineSettings) -> EngineRecord:
    """Start the process and wait until it serves. Cancelling ends it."""
    place.file("record").unlink(missing_ok=True)
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    # With the default spinning and one other busy process, generation falls to a tenth.
    environment |= {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}
    arguments = [msgspec.json.encode(each).decode() for each in (place, settings)]
    argv = [sys.executable, "-I", "-m", "suture_agent.policies.engine", *arguments]
    code, out, err = await output_of(argv, cwd=Path(place.folder), env=environment)
    if code or not out.strip().isdigit():
        raise PolicyUnavailable(f"the embedded engine did not start: {err.strip()[-300:]}", remedy="suture doctor")
    pid = int(out)
    try:
        return await _served(place, pid)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        raise


async def _served(place: Place, pid: int) -> EngineRecord:
    for _ in range(int(LOADING / _POLL)):
        record = _read(place.file("record"))
        if record is not None and record.pid == pid:
            return record
        if not _runs(pid):
            raise PolicyUnavailable(f"the embedded engine ended while it was starting: {_tail(place)}", remedy="suture doctor")
        await asyncio.sleep(_POLL)
    raise PolicyUnavailable(f"the embedded engine did not load its model within {LOADING:g} s", remedy="see whether the disk is slow")


def _tail(place: Place) -> str:
    try:
        lines = place.file("log").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return " ".join(lines[-3:])[-400:] or f"see {place.file('log')}"


def _read(path: Path) -> EngineRecord | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=EngineRecord)
    except (OSError, msgspec.MsgspecError):
        return None


@asynccontextmanager
async def _locked(path: Path, how: int) -> AsyncGenerator[None]:
    handle = await _lock(path, how)
    try:
        yield
    finally:
        os.close(handle)


async def _lock(path: Path, how: int) -> int:
    """A handle that holds the lock; waiting for it can be cancelled."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, how | fcntl.LOCK_NB)
                return handle
            except BlockingIOError:
                await asyncio.sleep(_POLL)
    except BaseException:
        os.close(handle)
        raise
