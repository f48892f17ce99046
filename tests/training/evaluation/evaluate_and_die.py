"""A program that evaluates over the in-memory sandbox and tells each run, until somebody kills it: `FOLDER slow|quick`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import msgspec

from suture_agent.harness import harness_for
from suture_agent.policies import Capability
from suture_agent.policies.scripted import Script, ScriptedPolicy, ScriptedTurn
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_training.evaluation.run import Plan, evaluate
from suture_training.rollout import Site
from suture_training.tasks.task import Difficulty, Edit, Origin, Proof, Task, task_id

LINT = Check(name="lint", kind="lint", command=("linttool",), report="generic", timeout=30)
HEALTHY = "".join(f"def part{number}(x):\n    return good + {number}\n\n\n" for number in range(6))


async def linttool(view: View, _argv: tuple[str, ...]) -> int:
    bad = [number for number, line in enumerate(view.read("code.py").decode().splitlines(), 1) if "bad" in line]
    for number in bad:
        view.print(f"code.py:{number}:1: error: bad word\n")
    return 1 if bad else 0


async def task_of(number: int, site: Site) -> Task:
    edits = (Edit(path="code.py", text=HEALTHY.replace(f"good + {number}", f"bad + {number}")),)
    results = await site.sandbox.check_all(site.healthy.with_edits({"code.py": (edits[0].text or "").encode()}))
    return Task(
        id=task_id("w", edits, "lint"),
        workspace="w",
        broken=edits,
        gold=(Edit(path="code.py", text=HEALTHY),),
        check="lint",
        findings=results[0].findings,
        results=results,
        environment=site.sandbox.environment.identity,
        origin=Origin(kind="mutation", repository="one"),
        difficulty=Difficulty(lines=2, hunks=1, files=1, failing=1, passing=0),
        proof=Proof(runs=1, failed=1, mended=1, unchanged=0, seconds=0.1),
        split="test",
    )


async def main(folder: Path, delay: float) -> None:
    root = folder / "healthy"
    root.mkdir(exist_ok=True)
    (root / "code.py").write_text(HEALTHY)
    runtime = Runtime(python="/usr/bin/python3", search_path=("/usr/bin",), readonly=())
    sandbox = Sandbox(MemoryBackend({"linttool": linttool}), Environment(EnvironmentFields(checks={"lint": LINT}), runtime), slots=4)
    site = Site(healthy=Snapshot(root), sandbox=sandbox)
    tasks = [await task_of(number, site) for number in range(6)]
    harness = harness_for(Capability(context=1000, tools=False, prefill=False), preset="line")
    harness = msgspec.structs.replace(harness, reruns=1, controls=1, shaken=0)
    policy = ScriptedPolicy(Script(turns=(ScriptedTurn(text="2: bad => good", delay=delay, repeat=0),)))
    await evaluate(
        tasks,
        {"w": site},
        policy,
        harness,
        folder / "out",
        plan=Plan(runs=6, jobs=3, controls=7),
        resume=True,
        progress=lambda done, _total, what: print(f"run {done}", flush=True) if hasattr(what, "run") else None,
    )


asyncio.run(main(Path(sys.argv[1]), 0.02 if sys.argv[2] == "slow" else 0.0))
