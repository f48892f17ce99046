"""A workspace whose only check finds the word `bad`, tasks on it, and the smallest model that the trainers take."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from suture_agent.harness import harness_for
from suture_agent.policies import Capability
from suture_sandbox.checks import Check
from suture_sandbox.environment import Environment, EnvironmentFields, Runtime
from suture_sandbox.memory import MemoryBackend, View
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot
from suture_training.rollout import Site
from suture_training.tasks.task import Difficulty, Edit, Origin, Proof, Task, task_id

TRAIN = Path(sys.prefix, "train")
if TRAIN.is_dir() and str(TRAIN) not in sys.path:  # scripts/setup.sh keeps the training libraries apart from all else
    sys.path.append(str(TRAIN))
if os.environ.get("SUTURE_TEST_TRAIN") == "required":
    import torch  # noqa: F401  # a machine that is to run these tests must not skip them

LINT = Check(name="lint", kind="lint", command=("linttool",), report="generic", timeout=30)
HEALTHY = "".join(f"def part{number}(x):\n    return good + {number}\n\n\n" for number in range(6))


async def linttool(view: View, argv: tuple[str, ...]) -> int:
    bad = [
        (path, number)
        for path in view.list()
        if path.endswith(".py")
        for number, line in enumerate(view.read(path).decode().splitlines(), 1)
        if "bad" in line
    ]
    for path, number in bad:
        view.print(f"{path}:{number}:1: error: bad word\n")
    return 1 if bad else 0


@pytest.fixture
def sandbox():
    runtime = Runtime(python="/usr/bin/python3", search_path=("/usr/bin",), readonly=())
    environment = Environment(EnvironmentFields(checks={"lint": LINT}), runtime)
    return Sandbox(MemoryBackend({"linttool": linttool}), environment, slots=4)


@pytest.fixture
def site(tmp_path: Path, sandbox) -> Site:
    root = tmp_path / "healthy"
    root.mkdir()
    (root / "code.py").write_text(HEALTHY)
    return Site(healthy=Snapshot(root), sandbox=sandbox)


@pytest.fixture
def make_task(site: Site):
    """A task: the word in one of the functions is bad."""

    async def make(number: int = 0, *, split="train", repository="one") -> Task:
        broken = HEALTHY.replace(f"good + {number}", f"bad + {number}")
        edits = (Edit(path="code.py", text=broken),)
        results = await site.sandbox.check_all(site.healthy.with_edits({"code.py": broken.encode()}))
        return Task(
            id=task_id("w", edits, "lint"),
            workspace="w",
            broken=edits,
            gold=(Edit(path="code.py", text=HEALTHY),),
            check="lint",
            findings=results[0].findings,
            results=results,
            environment=site.sandbox.environment.identity,
            origin=Origin(kind="mutation", repository=repository),
            difficulty=Difficulty(lines=2, hunks=1, files=1, failing=1, passing=0),
            proof=Proof(runs=1, failed=1, mended=1, unchanged=0, seconds=0.1),
            split=split,
        )

    return make


@pytest.fixture
def line_harness():
    return harness_for(Capability(context=1000, tools=False, prefill=False), preset="line")


@pytest.fixture(scope="session")
def smallest(tmp_path_factory) -> Path:
    """A model of a few thousand parameters with its tokenizer, hardly trained."""
    pytest.importorskip("torch")
    from suture_training.learn.tiny import TinySettings, make_tiny

    settings = TinySettings(vocabulary=300, width=16, layers=1, heads=2, steps=2, batch=2, length=64)
    return make_tiny(settings, tmp_path_factory.mktemp("smallest"))
