"""What the local backend costs: `python tests/bench/bench_sandbox.py [--json] [--attempts N] [--files N]`.

Measured in one process: an attempt that runs `true` on a repository of 5,000 files; a one-test pytest in an attempt against the same pytest
bare, run in turns; and what is left in /proc, the mount table, the temporary folder, the control groups and the descriptors after many
attempts.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from suture_sandbox.backend import Command, Completed
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend, cgroups
from suture_sandbox.snapshot import Snapshot

PYTEST = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_one.py")
VARIABLES = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}


def make_repository(root: Path, files: int) -> None:
    """A repository of small files, a hundred a folder, with one test."""
    for number in range(files):
        folder = root / f"package{number // 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"module{number}.py").write_text(f"VALUE = {number}\n")
    (root / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")


def environment() -> Environment:
    """This interpreter's environment."""
    path = (f"{sys.prefix}/bin", "/usr/bin", "/bin")
    runtime = Runtime(python=sys.executable, search_path=path, readonly=(sys.prefix, sys.base_prefix), variables=VARIABLES)
    return Environment(EnvironmentFields(), runtime, Limits(seconds=60))


async def attempt(backend: LocalBackend, snapshot: Snapshot, command: Command) -> float:
    """Milliseconds of one attempt; ends the bench when it fails."""
    began = time.perf_counter()
    done: Completed = await backend.run(snapshot, environment(), command)
    if done.ended != "exited" or done.exit_code != 0:
        sys.exit(f"{command.argv}: {done}")
    return (time.perf_counter() - began) * 1000


def bare(root: Path) -> float:
    """Milliseconds of the same pytest without a sandbox."""
    variables = {**VARIABLES, "PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
    began = time.perf_counter()
    subprocess.run(PYTEST, cwd=root, env=variables, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000


def traces() -> dict[str, int]:
    """What an attempt could leave behind, counted."""
    title = f"suture-attempt-of-{os.getpid()}".encode()
    lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    zombies = sum(b") Z " in path.read_bytes() for path in Path("/proc").glob("[0-9]*/stat") if path.exists())
    return {
        "processes": sum(title in line for line in lines),
        "zombies": zombies,
        "mounts": len(Path("/proc/self/mountinfo").read_bytes().splitlines()),
        "temporary": len(list(Path(tempfile.gettempdir()).glob("suture-*"))),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
    }


def groups() -> int:
    """Control groups of this process."""
    return sum(len(list(parent.glob(f"suture-{os.getpid()}-*"))) for parent in cgroups.find_parents().values())


def summary(samples: list[float]) -> dict[str, float]:
    """Median and 90th percentile in milliseconds."""
    return {"median_ms": round(statistics.median(samples), 2), "p90_ms": round(statistics.quantiles(samples, n=10)[8], 2)}


async def measure(root: Path, attempts: int) -> dict[str, object]:
    """All figures."""
    backend, snapshot = LocalBackend(), Snapshot(root)
    level = (await backend.probe()).level
    true, check = Command(argv=("true",)), Command(argv=PYTEST)
    await attempt(backend, snapshot, true)
    before = traces()
    plain = [await attempt(backend, snapshot, true) for _ in range(attempts)]
    edited = snapshot.with_edits({"package0/module1.py": b"VALUE = -1\n"})
    with_edit = [await attempt(backend, edited, true) for _ in range(30)]
    pairs = [(await attempt(backend, edited, check), await asyncio.to_thread(bare, root)) for _ in range(25)]
    after = traces()
    await backend.close()
    return {
        "level": level,
        "files": sum(1 for _ in root.rglob("*.py")),  # noqa: ASYNC240  # nothing else runs on this loop
        "attempts": attempts,
        "attempt": summary(plain),
        "attempt_with_edit": summary(with_edit),
        "pytest_sandboxed": summary([inside for inside, _ in pairs]),
        "pytest_bare": summary([outside for _, outside in pairs]),
        "pytest_difference_ms": round(statistics.median(inside - outside for inside, outside in pairs), 2),
        "left_behind": {name: after[name] - before[name] for name in after} | {"control_groups": groups()},
    }


def main() -> None:
    """Make a repository, measure, print, and say by the exit code whether something was left behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--attempts", type=int, default=200)
    parser.add_argument("--files", type=int, default=5000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-suture-") as folder:
        make_repository(Path(folder), options.files)
        figures = asyncio.run(measure(Path(folder), options.attempts))
    if options.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:22} {value if not isinstance(value, dict) else '  '.join(f'{key} {number}' for key, number in value.items())}")
    left = figures["left_behind"]
    sys.exit(
        1 if isinstance(left, dict) and any(left[name] > 0 for name in ("processes", "mounts", "descriptors", "control_groups")) else 0
    )


if __name__ == "__main__":
    main()
