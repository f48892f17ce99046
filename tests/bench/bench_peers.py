"""A proof's first look beside what other tools need for it: `python tests/bench/bench_peers.py --out DIR [--rounds 15] [--peers FOLDER]`.

The same one-test pytest on the same workspace in the same image (scripts/docker_image.sh), asked in turns in one run: of suture, warm and
cold, each an attempt that sees nothing of the one before; of SWE-ReX and mini-swe-agent, in a container that is running already, where
every command sees what all before it have left, and in a new container (start, test, end), where it does not. Beside it `true`.

The peers are installed from PyPI into virtual environments of their own below FOLDER, by name and version, and never become packages of
suture's. SWE-ReX's server is bound into the container, since the image has none. mini-swe-agent is installed without what its models need:
only its container is used. DIR gets peers.json and peers.svg; the exit code is 1 where the warm attempt is not ten times as fast as a
peer's new container.
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
from typing import Any

from bench_docker import HOME, image_environment

from suture_sandbox.backend import Command
from suture_sandbox.docker import DockerBackend
from suture_sandbox.snapshot import Snapshot

SWEREX, MINI = "swe-rex==1.4.0", "mini-swe-agent==2.4.6"
SWEREX_NEEDS = ("aiohttp",)  # which its client imports and its metadata does not name
MINI_NEEDS = ("pydantic>=2", "python-dotenv", "platformdirs", "rich")
PYTEST = ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_one.py")
IMAGE_PYTHON = "3.11"
FACTOR = 10.0
NOBODY = 54321
SERVER = f"""#!/bin/sh
PYTHONPATH=/opt/swerex/site exec {HOME}/bin/python -c 'from swerex.server import main; main()' "$@"
"""


def pip(python: Path | str, *arguments: str) -> None:
    """Install something."""
    subprocess.run([str(python), "-m", "pip", "install", "-q", *arguments], check=True, stderr=subprocess.DEVNULL)


def virtual(folder: Path, *arguments: str) -> Path:
    """The python of a virtual environment with these packages; kept from one run to the next."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip(python, *arguments)
        (folder / "done").touch()
    return python


def server(folder: Path, image: str) -> Path:
    """SWE-ReX for the image's interpreter, compiled by it."""
    if not (folder / "done").exists():
        only = ("--only-binary", ":all:", "--python-version", IMAGE_PYTHON, "--no-compile")
        pip(sys.executable, "--target", str(folder / "site"), *only, SWEREX)
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin" / "swerex-remote").write_text(SERVER)
        (folder / "bin" / "swerex-remote").chmod(0o755)
        compiling = [f"{HOME}/bin/python", "-m", "compileall", "-q", "/opt/swerex/site"]
        subprocess.run(["docker", "run", "--rm", "-v", f"{folder}:/opt/swerex", image, *compiling], check=False, capture_output=True)
        (folder / "done").touch()
    return folder


class Peer:
    """Another tool, in a process of its own."""

    def __init__(self, program: str, python: Path, image: str, options: list[str], test: str) -> None:
        variables = {**os.environ, "MSWEA_SILENT_STARTUP": "1"}
        command = [str(python), str(Path(__file__).with_name(program)), image, json.dumps(options), test]
        began = time.perf_counter()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables)
        if self._answer() != "ready":
            sys.exit(f"{program} did not start")
        self.start_ms = (time.perf_counter() - began) * 1000

    def ask(self, what: str) -> float:
        """Milliseconds of one thing."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{what}\n")
        self._process.stdin.flush()
        return float(self._answer())

    def close(self) -> None:
        """End it, and its container."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


async def measure(root: Path, folder: Path, rounds: int) -> dict[str, Any]:
    """All figures; one after another in every round."""
    environment = image_environment()
    image, test = environment.fields.image, f"cd {root} && {HOME}/bin/{' '.join(PYTEST)}"
    bound = ["-v", f"{root}:{root}:ro"]
    rex_options = [
        *bound,
        "-v",
        f"{server(folder / 'server', image)}:/opt/swerex:ro",
        "-e",
        f"PATH=/opt/swerex/bin:{HOME}/bin:/usr/bin:/bin",
    ]
    rex = Peer("peer_swerex.py", virtual(folder / "swerex", SWEREX, *SWEREX_NEEDS), image, rex_options, test)
    mini_python = virtual(folder / "mini", "--no-deps", MINI)
    if not (folder / "mini" / "needs").exists():
        pip(mini_python, *MINI_NEEDS)
        (folder / "mini" / "needs").touch()
    mini = Peer("peer_mini.py", mini_python, image, bound, test)
    backend, snapshot = DockerBackend(), Snapshot(root)
    warm, cold = Command(argv=PYTEST, warm=True), Command(argv=PYTEST)
    why = await backend.warm_up(snapshot, environment, warm)
    if why:
        sys.exit(f"no warm attempts here: {why}")
    await backend.run(snapshot, environment, warm)
    await backend.warm_up(snapshot, environment, warm)

    async def timed(command: Command) -> float:
        began = time.perf_counter()
        done = await backend.run(snapshot, environment, command)
        assert (done.exit_code, done.warm) == (0, command.warm), done
        return (time.perf_counter() - began) * 1000

    samples: dict[str, list[float]] = {}
    for number in range(rounds + 1):
        taken = {
            "suture, warm": await timed(warm),
            "suture, cold": await timed(cold),
            "suture, true": await timed(Command(argv=("true",))),
            **{
                f"{name}, {what}": peer.ask(what)
                for name, peer in (("SWE-ReX", rex), ("mini-swe-agent", mini))
                for what in ("test", "true", "fresh")
            },
        }
        for name, value in taken.items() if number else ():
            samples.setdefault(name, []).append(value)
        print(json.dumps({name: round(value, 1) for name, value in taken.items()}), flush=True)
    rex.close()
    mini.close()
    await backend.close()
    return {name: _figures(values) for name, values in samples.items()}


def _figures(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {
        "median": round(statistics.median(ordered), 1),
        "p90": round(ordered[int(0.9 * (len(ordered) - 1))], 1),
        "least": round(ordered[0], 1),
    }


def ratios(figures: dict[str, dict[str, float]]) -> dict[str, float]:
    """How many times as long as a warm attempt the others take."""
    base = figures["suture, warm"]["median"]
    return {name: round(each["median"] / base, 1) for name, each in figures.items() if not name.endswith("true")}


def plot(figures: dict[str, dict[str, float]], path: Path) -> None:
    """Bars, on a logarithmic axis."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    tests = {name: each for name, each in figures.items() if not name.endswith("true")}
    chart, axes = plt.subplots(figsize=(7, 2.8))
    colours = ["#2f7d4f" if name.startswith("suture") else "#37618e" for name in tests]
    drawn = axes.barh([*tests], [each["median"] for each in tests.values()], color=colours)
    axes.bar_label(drawn, [f"{each['median']:.0f} ms" for each in tests.values()], fontsize=8, padding=2)
    axes.set_xscale("log")
    axes.invert_yaxis()
    axes.set_xlabel("ms for the same one-test pytest in the same image (medians of one run, in turns)")
    chart.tight_layout()
    chart.savefig(path)
    plt.close(chart)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--peers", type=Path, default=Path(tempfile.gettempdir()) / "suture-bench-peers")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    options.peers.mkdir(parents=True, exist_ok=True)
    before = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="bench-peers-") as name:
        root = Path(name).resolve()
        (root / "test_one.py").write_text("def test_one():\n    assert 1 + 1 == 2\n")
        root.chmod(0o755)
        if os.geteuid() == 0:
            for path in (root, *root.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        figures = asyncio.run(measure(root, options.peers.resolve(), options.rounds))
    told = {"load_before": before, "load_after": os.getloadavg(), "rounds": options.rounds, "ms": figures, "times": ratios(figures)}
    (options.out / "peers.json").write_text(json.dumps(told, indent=1) + "\n")
    plot(figures, options.out / "peers.svg")
    print(json.dumps(told, indent=1))
    missed = [name for name, times in told["times"].items() if name.endswith("fresh") and times < FACTOR]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
