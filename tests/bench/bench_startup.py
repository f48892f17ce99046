"""What a start of suture costs: `python tests/bench/bench_startup.py [--json] [--runs N]`.

Whole processes, from spawn to exit, with their output thrown away. Beside `suture --help` run a Python that does nothing and one that only
imports click: they are what the machine and the library ask for. All are run in turns, so that a busy machine slows them alike; the ratios
say more than the milliseconds. It is no profile: `python -X importtime` says where the time goes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

SUTURE = str(Path(sys.executable).with_name("suture"))
PROGRAMS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "python -c 'import click'": [sys.executable, "-c", "import click"],
    "import suture_server.cli": [sys.executable, "-c", "import suture_server.cli"],
    "suture --help": [SUTURE, "--help"],
    "suture --version": [SUTURE, "--version"],
    "suture fix --help": [SUTURE, "fix", "--help"],
}
"""Shown name -> command. The first is what the others are compared with."""


def variables() -> dict[str, str]:
    """This shell's variables, less the one that makes every start of Python compile everything again."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def run(command: list[str]) -> float:
    """Milliseconds of one whole process; ends the bench when it fails."""
    began = time.perf_counter()
    done = subprocess.run(command, env=variables(), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    took = (time.perf_counter() - began) * 1000
    if done.returncode:
        sys.exit(f"{command} ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return took


def measure(programs: dict[str, list[str]], runs: int) -> dict[str, list[float]]:
    """Milliseconds of every run, after one that compiles and warms the file cache."""
    for command in programs.values():
        run(command)
    samples = {name: list[float]() for name in programs}
    for _ in range(runs):
        for name, command in programs.items():
            samples[name].append(run(command))
    return samples


def summary(samples: dict[str, list[float]]) -> dict[str, dict[str, float]]:
    """Per program: median and least milliseconds, and the median's ratio to that of the first program."""
    base = statistics.median(next(iter(samples.values())))
    return {
        name: {
            "median_ms": round(statistics.median(each), 1),
            "least_ms": round(min(each), 1),
            "ratio": round(statistics.median(each) / base, 2),
        }
        for name, each in samples.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=30)
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs must be at least 1")
    figures = summary(measure(PROGRAMS, options.runs))
    if options.json:
        print(json.dumps({"runs": options.runs, "programs": figures}))
        return
    for name, each in figures.items():
        print(
            f"{name:26} median {each['median_ms']:7.1f} ms   least {each['least_ms']:7.1f} ms   {each['ratio']:5.2f} times python -c pass"
        )


if __name__ == "__main__":
    main()
