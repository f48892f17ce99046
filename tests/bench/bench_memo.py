"""What the memo of check results costs and saves: `python tests/bench/bench_memo.py [--json] [--files 100 5000 50000]`.

For repositories of each size: the first key of a content (every file is hashed), the key when nothing changed, the key after an edit laid
over the snapshot, and a one-test pytest in a fresh attempt beside the same answered by the memo. Files are made 3 s before the second key,
so that their time stamps can be trusted. Medians of 9, except for the first key.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from suture_sandbox.checks import Check
from suture_sandbox.content import ContentIndex
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.memo import Memo
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

COMMAND = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml={report}", "test_one.py")
CHECK = Check(name="tests", kind="tests", command=COMMAND, report="pytest", selectable=True)
VARIABLES = {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONHASHSEED": "0"}
TIMES = 9


def environment() -> Environment:
    """This interpreter's environment."""
    path = (f"{sys.prefix}/bin", "/usr/bin", "/bin")
    runtime = Runtime(python=sys.executable, search_path=path, readonly=(sys.prefix, sys.base_prefix), variables=VARIABLES)
    return Environment(EnvironmentFields(checks={"tests": CHECK}), runtime, Limits(seconds=60))


def make_repository(root: Path, files: int) -> None:
    """Files of 2 kB, a hundred a folder, and one test."""
    for number in range(files):
        folder = root / f"package{number // 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"module{number}.py").write_text(f"VALUE = {number}\n" * (2048 // (10 + len(str(number)))))
    (root / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")


def timed(work: Callable[[], object]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def measure(root: Path, files: int) -> dict[str, float | int]:
    """The figures of one size."""
    make_repository(root, files)
    snapshot, where = Snapshot(root), environment()
    edited = snapshot.with_edits({"package0/module1.py": b"VALUE = -1\n"})
    index = ContentIndex(root, where)
    first = timed(lambda: index.key(snapshot))
    time.sleep(3)
    index.key(snapshot)
    same = statistics.median(timed(lambda: index.key(snapshot)) for _ in range(TIMES))
    over = statistics.median(timed(lambda: index.key(edited)) for _ in range(TIMES))
    fresh, kept = asyncio.run(runs(where, edited))
    return {
        "files": files,
        "first_key_ms": round(first, 1),
        "key_unchanged_ms": round(same, 2),
        "key_with_an_edit_ms": round(over, 2),
        "pytest_in_an_attempt_ms": round(fresh, 1),
        "pytest_from_the_memo_ms": round(kept, 2),
    }


async def runs(where: Environment, snapshot: Snapshot) -> tuple[float, float]:
    """Medians of a run in an attempt, and of one that the memo answers."""
    sandbox = Sandbox(LocalBackend(), where, memo=Memo())
    fresh: list[float] = []
    kept: list[float] = []
    await sandbox.check(CHECK, snapshot, memo=True)
    for _ in range(TIMES):
        for spent, memo in ((fresh, False), (kept, True)):
            began = time.perf_counter()
            await sandbox.check(CHECK, snapshot, memo=memo)
            spent.append((time.perf_counter() - began) * 1000)
    await sandbox.close()
    return statistics.median(fresh), statistics.median(kept)


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[100, 5000, 50_000])
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    figures: list[dict[str, float | int]] = []
    for files in chosen.files:
        with tempfile.TemporaryDirectory() as folder:
            figures.append(measure(Path(folder).resolve(), files))
    load = [round(value, 2) for value in os.getloadavg()]
    if chosen.json:
        print(json.dumps({"load": load, "sizes": figures}))
        return
    for each in figures:
        print(", ".join(f"{name} {value}" for name, value in each.items()))
    print(f"load {load}")


if __name__ == "__main__":
    main()
