"""What proving costs beside the test itself.

    python tests/bench/bench_warm.py --out DIR [--rounds 15] [--sizes 100 5000 50000] [--only subjects growth attempts parallel]

Two real packages (their sources are downloaded by name), in each a one-file edit that one test notices. In turns, on the same edit:

- in process: the test's own time, `pytest.main` in a process that has pytest loaded already and does nothing else (a fork of it, timed
  inside);
- warm: a warm attempt of the local backend, from the request to the result;
- bare: the same pytest as a command, without a sandbox;
- cold: a cold attempt.

Then: a warm and a cold attempt of a small test in repositories of several sizes; attempts a second with `true`, as many at a time as
there are cores; and eight proofs side by side, with the share of the processor time that the checks themselves used. Figures, limits and
a plot go to DIR; the exit code is 1 when a limit is missed. Wall times of a busy machine say little: read the load beside them, and the
ratios.

As root the workspaces belong to an ordinary user, since there are no warm attempts of root's.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from suture_sandbox.backend import Command
from suture_sandbox.environment import Environment, EnvironmentFields, Limits, Runtime
from suture_sandbox.local import LocalBackend
from suture_sandbox.sandbox import Sandbox
from suture_sandbox.snapshot import Snapshot

NOBODY = 54321


class Subject(msgspec.Struct, frozen=True):
    """A package, what is changed in it, and the test that notices."""

    package: str
    version: str
    path: str
    old: str
    new: str
    test: str


SUBJECTS = (
    Subject(
        "jinja2",
        "3.1.4",
        "src/jinja2/filters.py",
        "return soft_str(s).capitalize()",
        "return soft_str(s).upper()",
        "tests/test_filters.py::TestFilter::test_capitalize",
    ),
    Subject(
        "attrs",
        "24.2.0",
        "src/attr/filters.py",
        "            or attribute.name in names\n            or attribute in attrs\n        )\n\n    return include_",
        "            or attribute.name in names\n        )\n\n    return include_",
        "tests/test_filters.py::TestInclude::test_allow",
    ),
)
REQUIREMENTS = ("pytest==9.0.1", "markupsafe", "hypothesis", "cloudpickle")
OPTIONS = ("-q", "--tb=short", "--color=no", "-p", "no:cacheprovider")
VARIABLES = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
WARM_FACTOR, WARM_MS, COLD_MS, ATTEMPTS_A_SECOND, SHARE, GROWTH_MS = 1.5, 15.0, 25.0, 100.0, 0.9, 10.0

# Loads pytest as a zygote does, then times the test in one fork a line on standard input.
IN_PROCESS = """
import os, sys, tempfile, time, gc
import pytest
empty = tempfile.mkdtemp()
null = os.open(os.devnull, os.O_WRONLY)
out = os.dup(1)
os.dup2(null, 1)
open(empty + "/pytest.ini", "w").close()
pytest.main(["-q", "-p", "no:cacheprovider", "-c", empty + "/pytest.ini", empty])
gc.collect(); gc.freeze()
for line in sys.stdin:
    if not os.fork():
        sys.path.insert(0, os.getcwd())
        began, used = time.perf_counter(), time.process_time()
        code = pytest.main(sys.argv[1:])
        os.write(out, f"{(time.perf_counter() - began) * 1000} {(time.process_time() - used) * 1000} {int(code)}\\n".encode())
        os._exit(0)
    os.wait()
"""


class Ground:
    """The folder of a run, with an environment that an ordinary user can use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)
        base = _python()
        self.venv = folder / "venv"
        subprocess.run([base, "-m", "venv", self.venv], check=True)
        subprocess.run([self.venv / "bin" / "python", "-m", "pip", "install", "-q", *REQUIREMENTS], check=True, stderr=subprocess.DEVNULL)
        real = Path(os.path.realpath(base))
        self.readonly = (str(self.venv), *(() if str(real).startswith("/usr/") else (str(real.parents[1]),)))

    def environment(self, root: Path) -> Environment:
        """The environment for a workspace."""
        runtime = Runtime(
            python=str(self.venv / "bin" / "python"),
            search_path=(str(self.venv / "bin"), "/usr/bin", "/bin"),
            readonly=self.readonly,
            variables=self.variables(root),
        )
        return Environment(EnvironmentFields(), runtime, Limits(seconds=120))

    @staticmethod
    def variables(root: Path) -> dict[str, str]:
        return {**VARIABLES, "PYTHONPATH": str(root / "src")}

    def subject(self, subject: Subject) -> Path:
        """The sources of a package, with its one file changed."""
        sources = self.folder / "sources"
        name = f"{subject.package}=={subject.version}"
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary",
            ":all:",
            "-d",
            sources,
            name,
        ]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        (archive,) = sources.glob(f"{subject.package}-{subject.version}.tar.gz")
        with tarfile.open(archive) as packed:
            packed.extractall(self.folder, filter="data")
        return owned(self.folder / f"{subject.package}-{subject.version}")


def _python() -> str:
    """An interpreter that an ordinary user can start."""
    if os.geteuid() != 0:
        return sys.executable
    found = shutil.which("python3", path="/usr/bin")
    if found is None:
        sys.exit("run this as an ordinary user: there is no interpreter in /usr that one could start")
    return found


def owned(root: Path) -> Path:
    """Give a workspace to an ordinary user."""
    if os.geteuid() == 0:
        for path in (root, *root.rglob("*")):
            os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    return root


class Bench:
    """What is measured, by name."""

    def __init__(self, options: argparse.Namespace, ground: Ground) -> None:
        self.options, self.ground = options, ground
        self.figures: dict[str, Any] = {"load": os.getloadavg(), "cores": os.cpu_count()}
        self.missed: list[str] = []

    def limit(self, what: str, value: float, most: float) -> None:
        """Say whether a figure is within its limit."""
        if value > most:
            self.missed.append(f"{what}: {value:.1f}, at most {most:.1f}")

    async def subjects(self) -> None:
        """The four ways for each package."""
        for subject in SUBJECTS:
            root = self.ground.subject(subject)
            environment, backend = self.ground.environment(root), LocalBackend()
            text = (root / subject.path).read_text()
            assert text.count(subject.old) >= 1, subject
            edited = Snapshot(root).with_edits({subject.path: text.replace(subject.old, subject.new, 1).encode()})
            right, argv = Snapshot(root).with_edits({subject.path: text.encode()}), ("python", "-m", "pytest", *OPTIONS, subject.test)
            warm = Command(argv=argv, warm=True)
            why = await backend.warm_up(edited, environment, warm)
            if why:
                sys.exit(f"no warm attempts here: {why}")
            assert (await backend.run(edited, environment, warm)).exit_code == 1
            assert (await backend.run(right, environment, warm)).exit_code == 0
            await backend.warm_up(edited, environment, warm)
            await asyncio.sleep(1)  # what the test imports is loaded now
            await self._four(subject, root, environment, backend, right, argv)
            await backend.close()

    async def _four(
        self, subject: Subject, root: Path, environment: Environment, backend: LocalBackend, snapshot: Snapshot, argv: tuple[str, ...]
    ) -> None:
        variables = {**self.ground.variables(root), "PATH": f"{self.ground.venv}/bin:/usr/bin:/bin", "HOME": "/nonexistent"}
        python = str(self.ground.venv / "bin" / "python")
        command = [python, "-c", IN_PROCESS, *argv[3:]]
        pipe = subprocess.PIPE
        inside = subprocess.Popen(command, cwd=root, env=variables, stdin=pipe, stdout=pipe, text=True)  # noqa: ASYNC220  # nothing else runs
        assert inside.stdin is not None
        assert inside.stdout is not None
        samples: dict[str, list[float]] = {name: [] for name in ("in process", "warm", "bare", "cold")}
        used: dict[str, list[float]] = {name: [] for name in samples}
        for number in range(self.options.rounds + 1):
            inside.stdin.write("\n")
            inside.stdin.flush()
            wall, cpu, code = inside.stdout.readline().split()
            assert code == "0", code
            taken = {"in process": (float(wall), float(cpu))}
            for name in ("warm", "cold"):
                done = await backend.run(snapshot, environment, Command(argv=argv, warm=name == "warm"))
                assert (done.exit_code, done.warm) == (0, name == "warm"), done
                taken[name] = (done.seconds * 1000, done.cpu_seconds * 1000)
            taken["bare"] = _bare([python, *argv[1:]], root, variables)
            for name, (wall_ms, cpu_ms) in taken.items() if number else ():
                samples[name].append(wall_ms)
                used[name].append(cpu_ms)
        inside.stdin.close()
        inside.wait()
        median = {name: statistics.median(values) for name, values in samples.items()}
        self.figures[subject.package] = {name: {"ms": _round(samples[name]), "cpu_ms": _round(used[name])} for name in samples}
        self.limit(f"{subject.package}, warm", median["warm"], WARM_FACTOR * median["in process"] + WARM_MS)
        self.limit(f"{subject.package}, cold", median["cold"], median["bare"] + COLD_MS)

    async def growth(self) -> None:
        """The same small test in ever larger repositories, bare too: pytest itself looks at every entry of the root folder."""
        medians: dict[str, dict[str, float]] = {}
        for size in self.options.sizes:
            root = owned(_repository(self.ground.folder / f"repository{size}", size))
            environment, backend = self.ground.environment(root), LocalBackend()
            snapshot = Snapshot(root).with_edits({"package0/module1.py": b"VALUE = -1\n"})
            argv = ("python", "-m", "pytest", *OPTIONS, "test_one.py")
            await backend.warm_up(snapshot, environment, Command(argv=argv, warm=True))
            samples: dict[str, list[float]] = {"warm": [], "cold": [], "bare": []}
            variables = {**environment.runtime.variables, "PATH": os.environ["PATH"]}
            for number in range(self.options.rounds + 1):
                for name, values in samples.items():
                    if name == "bare":
                        values.extend([_bare([environment.runtime.python, *argv[1:]], root, variables)[0]] * bool(number))
                        continue
                    done = await backend.run(snapshot, environment, Command(argv=argv, warm=name == "warm"))
                    assert (done.exit_code, done.warm) == (0, name == "warm"), done
                    values.extend([done.seconds * 1000] * bool(number))
            medians[str(size)] = {name: round(statistics.median(values), 1) for name, values in samples.items()}
            await backend.close()
        self.figures["growth_ms"] = medians
        for name in ("warm", "cold"):
            first, last = (
                medians[str(size)][name] - medians[str(size)]["bare"] for size in (min(self.options.sizes), max(self.options.sizes))
            )
            told = f"growth beyond pytest's own from {min(self.options.sizes)} to {max(self.options.sizes)} files, {name}"
            self.limit(told, last - first, GROWTH_MS)

    async def attempts(self) -> None:
        """`true`, as many at a time as there are cores."""
        root = owned(_repository(self.ground.folder / "attempts", 100))
        environment, backend = self.ground.environment(root), LocalBackend()
        sandbox = Sandbox(backend, environment)
        command, count = Command(argv=("true",)), 300
        await asyncio.gather(*(sandbox.run(Snapshot(root), command) for _ in range(10)))
        began = time.perf_counter()
        await asyncio.gather(*(sandbox.run(Snapshot(root), command) for _ in range(count)))
        rate = count / (time.perf_counter() - began)
        await backend.close()
        self.figures["attempts_a_second"] = round(rate, 1)
        self.limit("attempts a second (negative)", -rate, -ATTEMPTS_A_SECOND)

    async def parallel(self) -> None:
        """Eight proofs at once of a check that computes for a while: how much of all the processor time the checks had."""
        root = self.ground.folder / "parallel"
        root.mkdir()
        (root / "test_busy.py").write_text(
            "def test_busy():\n    total = 0\n    for number in range(20_000_000):\n        total += number\n"
        )
        owned(root)
        environment, backend = self.ground.environment(root), LocalBackend()
        sandbox = Sandbox(backend, environment)
        command = Command(argv=("python", "-m", "pytest", *OPTIONS, "test_busy.py"))
        used, began = _processor_seconds(), time.perf_counter()
        runs = await asyncio.gather(*(sandbox.run(Snapshot(root), command) for _ in range(8)))
        everything, wall = _processor_seconds() - used, time.perf_counter() - began
        await backend.close()
        inside = sum(run.cpu_seconds for run in runs)
        assert all(run.exit_code == 0 for run in runs)
        self.figures["parallel"] = {"wall_s": round(wall, 2), "cpu_s": round(everything, 2), "in_checks": round(inside / everything, 3)}
        self.limit("share of the checks (negative)", -inside / everything, -SHARE)


def _bare(command: Sequence[str], root: Path, variables: dict[str, str]) -> tuple[float, float]:
    """Wall and processor milliseconds of a command without a sandbox."""
    began, used = time.perf_counter(), _processor_seconds()
    subprocess.run(command, cwd=root, env=variables, check=True, capture_output=True)
    return (time.perf_counter() - began) * 1000, (_processor_seconds() - used) * 1000


def _processor_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _repository(root: Path, files: int) -> Path:
    for number in range(files):
        folder = root / f"package{number // 100}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"module{number}.py").write_text(f"VALUE = {number}\n")
    (root / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")
    return root


def _round(values: Sequence[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"median": round(statistics.median(ordered), 1), "p90": round(ordered[int(0.9 * (len(ordered) - 1))], 1)}


def plot(figures: dict[str, Any], path: Path) -> None:
    """Bars of the four ways for each package."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    names = [subject.package for subject in SUBJECTS if subject.package in figures]
    if not names:
        return
    figure, axes = plt.subplots(1, len(names), figsize=(4.5 * len(names), 3.2), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        ways = figures[name]
        bars = axis.barh(list(ways), [each["ms"]["median"] for each in ways.values()], color=["#888888", "#2f7d4f", "#888888", "#37618e"])
        axis.bar_label(bars, fmt="%.0f ms", padding=3)
        axis.set_title(f"one test of {name}")
        axis.invert_yaxis()
        axis.margins(x=0.2)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 5000, 50000])
    parser.add_argument("--only", nargs="*", default=["subjects", "growth", "attempts", "parallel"])
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-suture-") as folder:
        bench = Bench(options, Ground(Path(folder)))
        for name in options.only:
            print(f"{name}...", file=sys.stderr)
            asyncio.run(getattr(bench, name)())
    bench.figures["missed"] = bench.missed
    (options.out / "warm.json").write_text(json.dumps(bench.figures, indent=1))
    plot(bench.figures, options.out / "warm.svg")
    print(json.dumps(bench.figures, indent=1))
    sys.exit(1 if bench.missed else 0)


if __name__ == "__main__":
    main()
