"""A map in a whole batch run: found in the journal, and a proposal that breaks another test costs no run of all tests."""

from __future__ import annotations

import asyncio
import hashlib
import time

from suture_agent.batch import Options, fix_workspace
from suture_agent.events import Progress
from suture_agent.impact.map import ImpactMap, Kept, MappedFile
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.memory import MemoryBackend
from suture_sandbox.sandbox import Sandbox

TESTS = Check(name="tests", kind="tests", command=("pytest", "{report}"), report="junit", timeout=30, selectable=True, tool="pytest")
WORDS = {"a": "needs one.py right", "b": "needs one.py kept", "c": "pass", "d": "pass"}


async def test_a_batch_run_asks_the_map_that_an_earlier_run_kept(snapshot_of, play, tools, told, kept):
    snapshot = snapshot_of(WORDS)
    (snapshot.root / "one.py").write_text("def f():\n    wrong\n    kept\n")

    async def slow(view, argv):
        if not tools.runs:  # all tests of the text as it was found
            await asyncio.sleep(2.1)
        return await tools.test(view, argv)

    runtime = Runtime(python="/p", search_path=(), readonly=())
    sandbox = Sandbox(MemoryBackend({"pytest": slow}), Environment(EnvironmentFields(checks={"tests": TESTS}), runtime))
    recorder = kept.recorder(sandbox, snapshot)
    digest = hashlib.sha256((snapshot.root / "one.py").read_bytes()).hexdigest()
    files = (MappedFile("one.py", digest, {1: (0, 1)}, (), ()),)
    tests = tuple(f"tests.txt::{name}" for name in WORDS)
    await recorder.keep_impact("tests", Kept(map=ImpactMap(tests, (-1,) * 4, files), seconds=1.0, created=time.time()))
    breaks = play.edit("one.py", "    right\n", search="    wrong\n    kept\n")
    mends = play.edit("one.py", "right\n    kept", search="right")
    policy = play.policy(breaks, play.submit(), mends, play.submit())
    summary = await fix_workspace(snapshot, sandbox, policy, recorder, told, Options())
    assert summary.fixed == 1
    proving = [event.phase.removeprefix("proving: ") for event in told.of(Progress) if event.phase.startswith("proving: ")]
    assert proving == [
        "tests: 1 failing", "tests: 1 impacted",
        "tests: 1 failing", "tests: 1 impacted", "tests: all", "other checks", "tests: 2 reruns",
    ]  # fmt: skip
    assert tools.runs.count(()) == 4  # once as it was found, and three times for the patch that holds
