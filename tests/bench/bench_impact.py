"""What impact costs and saves on a real package: `python tests/bench/bench_impact.py [--package NAME] [--patches N] [--turns N] [--json]`.

The package's source archive is downloaded by name. Measured in turns, so that a busy machine troubles both alike: its tests as they are
against the run that notes what they run; then, for functions drawn by a fixed seed, a patch that breaks the function: how long the
stage of impacted tests takes to refuse it, against one cold run of all tests, which is what comes next without it. And what the stage
adds to a good patch.
"""

from __future__ import annotations

import argparse
import ast
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from suture_agent.direct.trace import pytest_arguments
from suture_agent.impact.choose import impacted, worth_running
from suture_agent.impact.making import make
from suture_agent.impact.map import ImpactMap, Kept
from suture_sandbox.backend import Command
from suture_sandbox.checks import Check, CheckResult
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.impacted import Question, find_broken
from suture_sandbox.local import LocalBackend
from suture_sandbox.patch import Patch, patch_between
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

COMMAND = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "--junit-xml={report}")
TESTS = Check(name="tests", kind="tests", command=COMMAND, report="pytest", timeout=600, selectable=True, tool="pytest")
VARIABLES = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}


def sources(package: str, folder: Path) -> Path:
    """The unpacked source archive of a package."""
    command = ["-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", "-d", str(folder), package]
    subprocess.run([sys.executable, *command], check=True, stderr=subprocess.DEVNULL)
    folder = folder.resolve()
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


def sandbox_for(root: Path) -> Sandbox:
    """This interpreter's environment; the package is found where it lies."""
    path = str(root / "src") if (root / "src").is_dir() else str(root)
    runtime = Runtime(
        python=sys.executable,
        search_path=(f"{sys.prefix}/bin", "/usr/bin", "/bin"),
        readonly=(sys.prefix, sys.base_prefix),
        variables={**VARIABLES, "PYTHONPATH": path},
    )
    limits = Limits(seconds=600, cpu_seconds=600, memory_mib=2048)
    return Sandbox(LocalBackend(), Environment(EnvironmentFields(checks={"tests": TESTS}), runtime, limits))


def breaking(found: ImpactMap, snapshot: Snapshot, count: int) -> list[Patch]:
    """Patches that make a function of the package, one that some test runs, raise an error at once."""
    places = [(file.path, line) for file in found.files if "test" not in file.path for line in sorted(file.functions)]
    made: list[Patch] = []
    for path, line in random.Random(5).sample(places, len(places)):
        text = snapshot.read_text(path) or ""
        nodes = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
        node = next((each for each in nodes if min([each.lineno, *(one.lineno for one in each.decorator_list)]) == line), None)
        if node is None or node.body[0].lineno == node.lineno:
            continue
        lines = text.splitlines(keepends=True)
        first = node.body[0]
        lines.insert(first.lineno - 1, f"{' ' * first.col_offset}raise RuntimeError('broken')\n")
        made.append(patch_between(snapshot, {path: "".join(lines).encode()}))
        if len(made) == count:
            break
    return made


async def measured(package: str, count: int, turns: int) -> dict[str, object]:
    """All figures of one package."""
    with tempfile.TemporaryDirectory() as folder:
        root = await asyncio.to_thread(sources, package, Path(folder))
        snapshot, sandbox = Snapshot(root), sandbox_for(root)
        try:
            return {"package": root.name, "load": os.getloadavg()[0], **await figures(sandbox, snapshot, count, turns)}
        finally:
            await sandbox.close()


async def figures(sandbox: Sandbox, snapshot: Snapshot, count: int, turns: int) -> dict[str, object]:
    """The cost of a map, and what the stage saves and costs."""
    whole: list[float] = []
    noting: list[float] = []
    before = await sandbox.check(TESTS, snapshot)
    kept = await make(sandbox, TESTS, snapshot, before)
    if not isinstance(kept, Kept):
        sys.exit(f"no map: {before.status} {before.reason}\n{before.output[-2000:]}")
    program = (Path(__file__).parents[2] / "agent/suture_agent/impact/program.py").read_text()
    argv = ("python", "-c", program, str(snapshot.root), "{report}", *(pytest_arguments(TESTS) or ()))
    for _ in range(turns):
        whole.append((await sandbox.check(TESTS, snapshot)).seconds)
        noting.append((await sandbox.run(snapshot, Command(argv=argv, seconds=600))).seconds)
    await sandbox.warm_up(snapshot)
    stages = [await one(sandbox, kept.map, snapshot, before, patch) for patch in breaking(kept.map, snapshot, count)]
    asked = [stage for stage in stages if stage["tests"]]
    refused = [stage for stage in asked if stage["refused"]]
    middle = statistics.median
    return {
        "tests": len(kept.map.tests),
        "files": len(kept.map.files),
        "map_bytes": len(json.dumps(kept_size(kept.map))),
        "whole_s": round(middle(whole), 2),
        "noting_s": round(middle(noting), 2),
        "overhead": round(middle(noting) / middle(whole), 2),
        "patches": len(stages),
        "asked": len(asked),
        "refused": len(refused),
        "median_tests": middle(stage["tests"] for stage in asked) if asked else None,
        "refusal_s": round(middle(stage["seconds"] for stage in refused), 2) if refused else None,
        "whole_beside_s": round(middle(stage["whole"] for stage in refused), 2) if refused else None,
        "good_patch_adds_s": round(middle(stage["good"] for stage in asked), 2) if asked else None,
    }


def kept_size(found: ImpactMap) -> object:
    """The map as builtins."""
    import msgspec

    return msgspec.to_builtins(found, str_keys=True)


async def one(sandbox: Sandbox, found: ImpactMap, snapshot: Snapshot, before: CheckResult, patch: Patch) -> dict[str, float]:
    """The stage on a patch that breaks a function, the same tests on the text as it is, and one whole cold run."""
    chosen = worth_running(impacted(found, patch), len(found.tests))
    patched = patch.apply(snapshot)
    began = time.monotonic()
    asked = Question(snapshot=snapshot, patch=patch, patched=patched, known=(), reruns=3)
    broken = await find_broken(sandbox, TESTS, before, asked, lambda _check, _patch: chosen)
    took = time.monotonic() - began
    began = time.monotonic()
    await find_broken(
        sandbox,
        TESTS,
        before,
        Question(snapshot=snapshot, patch=patch, patched=snapshot, known=(), reruns=3),
        lambda _check, _patch: chosen,
    )
    good = time.monotonic() - began
    whole = (await sandbox.check(TESTS, patched)).seconds if broken is not None else 0.0
    return {"tests": len(chosen), "refused": broken is not None, "seconds": took, "good": good, "whole": whole}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", default="more-itertools")
    parser.add_argument("--patches", type=int, default=8)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = asyncio.run(measured(asked.package, asked.patches, asked.turns))
    if asked.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>20}  {value}")


if __name__ == "__main__":
    main()
