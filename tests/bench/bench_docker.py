"""What the Docker backend costs. All figures of one run are taken one after another on the same machine; ratios say more than times.

    python tests/bench/bench_docker.py            (after: bash scripts/docker_image.sh)

Prints JSON: attempts a second of `true` with warm containers beside the local backend's; a one-test pytest in a warm container beside the
same pytest in the same image without any of suture's work; a new container for each attempt; CPU time for each; the machine's load.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from suture_sandbox.backend import Backend, Command
from suture_sandbox.docker import DockerBackend, DockerOptions
from suture_sandbox.docker.daemon import Daemon
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.snapshot import Snapshot

PROJECT = Path(__file__).parents[2]
HOME = "/opt/environment"
PYTEST = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_one.py")
BARE = f"""
import resource, subprocess, time
for _ in range(COUNT):
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run({PYTEST!r}, stdout=subprocess.DEVNULL, check=True)
    seconds, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    print(seconds, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime)
"""


def image_environment() -> Environment:
    """The environment in the tests' image."""
    parts = (PROJECT / "scripts/docker_image.sh", PROJECT / "examples/shop/requirements.txt")
    tag = f"suture-test:{hashlib.sha256(b''.join(part.read_bytes() for part in parts)).hexdigest()[:16]}"
    search, variables = (f"{HOME}/bin", "/usr/bin", "/bin"), {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    runtime = Runtime(python=f"{HOME}/bin/python", search_path=search, readonly=(), variables=variables)
    return Environment(EnvironmentFields(image=Daemon().image(tag).id), runtime, Limits(memory_mib=1024))


def workspace(root: Path) -> None:
    """One test, for everyone to read."""
    (root / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")
    root.chmod(0o755)


def local_environment() -> Environment:
    """The environment that this runs in."""
    own = (sys.prefix, sys.base_prefix)
    return Environment(EnvironmentFields(), Runtime(python=sys.executable, search_path=("/usr/bin", "/bin"), readonly=own), Limits())


def containers_cpu() -> float:
    """CPU seconds of all containers that run now, under either version of control groups."""
    old = [int(path.read_text()) / 1e9 for path in Path("/sys/fs/cgroup/cpuacct/docker").glob("*/cpuacct.usage")]
    new = [int(path.read_text().split()[1]) / 1e6 for path in Path("/sys/fs/cgroup").glob("*/docker-*.scope/cpu.stat")]
    return sum(old + new)


async def each(run: Callable[[], Awaitable[object]], count: int) -> list[float]:
    """Seconds of each of `count` runs, one after another."""
    seconds: list[float] = []
    for _ in range(count):
        began = time.perf_counter()
        await run()
        seconds.append(time.perf_counter() - began)
    return seconds


Figures = list[tuple[float, float]]
"""Wall and CPU seconds of each run."""


async def in_turns(backend: Backend, snapshot: Snapshot, environment: Environment, count: int) -> tuple[Figures, Figures]:
    """A pytest in an attempt of its own, then the same pytest without one (inside an attempt that runs nothing else), and again."""
    proof: Figures = []
    plain: Figures = []
    for _ in range(count):
        began = time.perf_counter()
        done = await backend.run(snapshot, environment, Command(argv=PYTEST))
        proof.append((time.perf_counter() - began, done.cpu_seconds))
        done = await backend.run(snapshot, environment, Command(argv=("python", "-c", BARE.replace("COUNT", "1"))))
        wall, cpu = map(float, done.stdout.split())
        plain.append((wall, cpu))
    return proof, plain


def middle(seconds: Iterable[float]) -> float:
    """Median, in milliseconds."""
    return round(statistics.median(seconds) * 1000, 1)


async def rate(backend: Backend, snapshot: Snapshot, environment: Environment, count: int, at_once: int) -> dict[str, float]:
    """`true`, many times: attempts a second, and CPU milliseconds of this process and of the containers for each."""
    command, turns = Command(argv=("true",)), asyncio.Semaphore(at_once)

    async def one() -> None:
        async with turns:
            done = await backend.run(snapshot, environment, command)
            assert done.exit_code == 0, done

    await asyncio.gather(*(one() for _ in range(2 * at_once)))
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    inside, began = containers_cpu(), time.perf_counter()
    await asyncio.gather(*(one() for _ in range(count)))
    wall, inside = time.perf_counter() - began, containers_cpu() - inside
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own = sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(used, after, strict=True))
    return {
        "per_second": round(count / wall, 1),
        "own_cpu_ms": round(own / count * 1000, 2),
        "containers_cpu_ms": round(inside / count * 1000, 2),
    }


async def main(count: int) -> None:
    """Measure, and print."""
    environment, host = image_environment(), local_environment()
    processors = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="bench-docker-") as folder:
        workspace(Path(folder))
        snapshot = Snapshot(Path(folder))
        fast, strict, local = DockerBackend(), DockerBackend(DockerOptions(mode="strict", containers=1)), LocalBackend()
        fast_many = DockerBackend(DockerOptions(containers=2 * processors))
        try:
            began = time.perf_counter()
            await fast.run(snapshot, environment, Command(argv=("true",)))
            cold = time.perf_counter() - began
            true = await each(lambda: fast.run(snapshot, environment, Command(argv=("true",))), count)
            proof, plain = await in_turns(fast, snapshot, environment, max(5, count // 10))
            figures = {
                "load_before": os.getloadavg()[0],
                "first_attempt_ms": round(cold * 1000, 1),
                "true_fast_ms": round(statistics.median(true) * 1000, 2),
                "true_fast": await rate(fast_many, snapshot, environment, 4 * count, 2 * processors),
                "true_local": await rate(local, snapshot, host, 4 * count, 2 * processors),
                "pytest_fast_ms": middle(wall for wall, _ in proof),
                "pytest_fast_cpu_ms": middle(cpu for _, cpu in proof),
                "pytest_bare_in_image_ms": middle(wall for wall, _ in plain),
                "pytest_bare_in_image_cpu_ms": middle(cpu for _, cpu in plain),
                "strict_ms": round(
                    statistics.median(await each(lambda: strict.run(snapshot, environment, Command(argv=("true",))), 8)) * 1000, 1
                ),
                "load_after": os.getloadavg()[0],
            }
            figures["pytest_fast_over_bare_ms"] = round(figures["pytest_fast_ms"] - figures["pytest_bare_in_image_ms"], 1)
            print(json.dumps(figures, indent=2))
        finally:
            for backend in (fast, fast_many, strict, local):
                await backend.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=100)
    asyncio.run(main(parser.parse_args().count))
