"""Maps of impact beside the checks of the worker: once nothing is checked any more, of the text that was checked, ended by the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from suture_agent.impact.maps import Maps
from suture_agent.record import NoRecorder
from suture_agent.settings import Loaded, Settings
from suture_agent.workspace import Workspace
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_server.worker.bench import Bench

LINT = Check(name="lint", kind="lint", command=("linttool",), report="generic", timeout=30)


async def lint(view: View, argv: tuple[str, ...]) -> int:
    return 0


class Watched(Maps):
    """Says when it is asked to keep up, and takes for ever."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox, NoRecorder())
        self.asked: asyncio.Queue[tuple[Snapshot, tuple[str, ...]]] = asyncio.Queue()
        self.ended = 0

    async def keep_up(self, snapshot: Snapshot, results: Sequence[CheckResult]) -> None:
        self.asked.put_nowait((snapshot, tuple(result.check for result in results)))
        try:
            await asyncio.Event().wait()
        finally:
            self.ended += 1


@pytest.fixture
def maps() -> Watched:
    runtime = Runtime(python="/p", search_path=(), readonly=())
    return Watched(Sandbox(MemoryBackend({"linttool": lint}), Environment(EnvironmentFields(checks={"lint": LINT}), runtime)))


def bench_of(maps: Watched, root, buffers, idle: float) -> Bench:
    workspace = Workspace(root=root, loaded=Loaded(settings=Settings(), origins={}), sandbox=maps._sandbox, notes=())
    return Bench(workspace, maps, lambda _message: None, lambda: buffers, idle_seconds=idle)


async def test_maps_follow_the_last_check_and_the_next_one_ends_them(tmp_path, maps):
    buffers = {"a.py": b"x = 1\n"}
    bench = bench_of(maps, tmp_path, buffers, 0.01)
    for generation in (1, 2):
        buffers["a.py"] = b"x = %d\n" % generation
        await bench.check(generation)
        async with asyncio.timeout(10):
            snapshot, checks = await maps.asked.get()
        assert (snapshot.read("a.py"), checks) == (buffers["a.py"], ("lint",))
        assert maps.ended == generation - 1
    await bench.close()
    assert maps.ended == 2


async def test_while_checks_follow_each_other_no_map_is_begun(tmp_path, maps):
    bench = bench_of(maps, tmp_path, {}, 60.0)
    for generation in range(5):
        await bench.check(generation)
    assert maps.asked.empty()
    await bench.close()
