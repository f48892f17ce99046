"""The process that runs an embedded model: llama.cpp's server on a loopback port, under a key of its own.

Started by `engines.attach` and by nothing else: `python -I -m suture_agent.policies.engine PLACE SETTINGS`. It detaches from whoever
started it, because it is shared, and looks after its own end: it goes when no client has held its lease for a while, and when nobody asked
it anything for longer. A client that is killed loses its lease with its last file handle, so no engine outlives its clients by more than
`orphaned` seconds.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import secrets
import signal
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import msgspec

TICK = 0.5


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides what an engine is. Two clients with equal settings share one."""

    model: str
    """Path of the GGUF file."""
    sha256: str
    """Its digest."""
    context: int = 16_384
    """Tokens of the one cache that all slots share: twice what a request may have, so that two clients do not push each other out."""
    parallel: int = 4
    """Slots: answers that are generated together from one cached prompt."""
    threads: int
    lora: str = ""
    """Path of an adapter's GGUF file, applied to every request; none where empty."""
    lora_sha256: str = ""
    idle: float = 600.0
    """Seconds without a request after which it ends although clients hold it; the next request starts it anew."""
    orphaned: float = 60.0
    """Seconds without any client after which it ends."""


class EngineRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A running engine, as its clients find it. The file that holds it is readable by its owner only."""

    pid: int
    started: float
    """Start time of the process as the system tells it, so that a reused pid is not mistaken for the engine."""
    url: str
    key: str
    server: str
    settings: EngineSettings


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The files of one engine."""

    folder: str
    name: str

    def file(self, kind: str) -> Path:
        """`record`, `lease`, `start` or `log`."""
        return Path(self.folder) / f"{self.name}.{kind}"


def main(argv: list[str]) -> int:
    """Detach, load the model, serve until nobody needs it."""
    place = msgspec.json.decode(argv[1], type=Place)
    settings = msgspec.json.decode(argv[2], type=EngineSettings)
    child = _fork()
    if child:
        print(child, flush=True)  # noqa: T201 - the starter reads the pid here
        return 0
    _redirect(place.file("log"))
    server, url, key = _serve(settings)
    record = _record(settings, url, key)
    _write(place.file("record"), record)
    signal.signal(signal.SIGTERM, _end)
    try:
        _watch(place, settings, record)
    finally:
        place.file("record").unlink(missing_ok=True)
        del server
        os._exit(0)  # the server's threads must not hold up the end


def _end(_number: int, _frame: object) -> None:
    sys.exit(0)


def _fork() -> int:
    """Fork into a session of its own: 0 in the engine, its pid in the starter, which waits until the sessions are apart."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child:
        os.close(theirs)
        os.read(ours, 1)
        return child
    os.setsid()
    os.write(theirs, b".")
    os.close(ours)
    os.close(theirs)
    return 0


def _redirect(log: Path) -> None:
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (handle, 1), (handle, 2)):
        os.dup2(source, target)
    with contextlib.suppress(OSError):  # when memory runs out, the engine goes first, not the user's editor
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")


def _serve(settings: EngineSettings) -> tuple[object, str, str]:
    """Start llama.cpp's server. The choices are measured; see `_tune`."""
    xllamacpp: Any = importlib.import_module("xllamacpp")
    key = secrets.token_urlsafe(24)
    params: Any = xllamacpp.CommonParams()
    params.model.path = settings.model
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.ui = False
    params.offline = True
    params.endpoint_props = False
    params.endpoint_slots = True
    params.verbosity = 1
    if settings.lora:
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(settings.lora, 1.0)]
    _tune(params, settings, xllamacpp)
    server: Any = xllamacpp.Server(params)
    return server, str(server.listening_address), key


def _tune(params: Any, settings: EngineSettings, xllamacpp: Any) -> None:  # noqa: ANN401 - the engine has no annotations
    """Measured on two cores with both models: one cache for all slots lets candidates share their prompt; looking the answer up in
    the prompt saves a third to a half of the time of an answer that mostly copies it, and costs nothing else. Flash attention,
    cache types and batch sizes made no difference that showed.
    """
    params.n_ctx = settings.context
    params.n_parallel = settings.parallel
    params.kv_unified = True
    params.cache_prompt = True
    params.cache_ram_mib = 512
    params.cpuparams.n_threads = settings.threads
    params.cpuparams_batch.n_threads = settings.threads
    params.speculative.types = [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_MAP_K]
    params.speculative.ngram_map_k.size_n = 3
    params.speculative.ngram_map_k.size_m = 12


def _record(settings: EngineSettings, url: str, key: str) -> EngineRecord:
    from importlib.metadata import version

    import psutil  # type: ignore[import-untyped]  # its stubs are a package of their own

    me = psutil.Process()
    server = f"llama.cpp (xllamacpp {version('xllamacpp')})"
    return EngineRecord(pid=me.pid, started=me.create_time(), url=url, key=key, server=server, settings=settings)


def _write(path: Path, record: EngineRecord) -> None:
    fresh = path.with_name(f"{path.name}.new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(record))
    fresh.replace(path)


def _watch(place: Place, settings: EngineSettings, record: EngineRecord) -> None:
    """Return when nobody needs the engine. No client can attach meanwhile: the lease is then held exclusively until the process ends."""
    lease = os.open(place.file("lease"), os.O_RDWR | os.O_CREAT, 0o600)
    held = time.monotonic()
    while True:
        time.sleep(TICK)
        now = time.monotonic()
        alone = _lock(lease)
        held = held if alone else now
        asked = place.file("lease").stat().st_mtime
        over = now - held > settings.orphaned if alone else time.time() - asked > settings.idle
        if over and not _busy(record):
            return
        if alone:
            fcntl.flock(lease, fcntl.LOCK_UN)


def _lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _busy(record: EngineRecord) -> bool:
    """Whether a request is being worked on, whatever the lease says."""
    request = urllib.request.Request(f"{record.url}/slots", headers={"Authorization": f"Bearer {record.key}"})  # noqa: S310 - our own loopback server
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answered:
            return any(slot.get("is_processing") for slot in json.load(answered))
    except (OSError, ValueError):
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv))
