"""How often the intervals of evaluations hold the truth, and how wide they are: `python tests/bench/bench_intervals.py [--sims N]`.

Simulated experiments with a known effect of 8 points, 4 runs a task; no policy and no sandbox.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

from intervals import simulated

SETTINGS = {
    "20 repositories of 3 tasks": {},
    "6 repositories of 3 tasks": {"clusters": 6},
    "60 tasks, each of its own": {"clusters": 60, "size": 1, "sd_home": 0.0},
    "60 tasks, runs drawn inside of tasks too": {"clusters": 60, "size": 1, "sd_home": 0.0, "inner": True},
    "3 training seeds that do not differ": {"seeds": 3},
    "3 training seeds that differ": {"seeds": 3, "sd_seed": 0.1},
    "5 training seeds that differ": {"seeds": 5, "sd_seed": 0.1},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sims", type=int, default=1000)
    sims = parser.parse_args().sims
    print(f"| {sims} experiments each | 95 % intervals that hold the truth | mean width, points |\n|---|---|---|")
    for name, setting in SETTINGS.items():
        held, width = simulated(sims=sims, **setting)
        print(f"| {name} | {100 * held:.1f} % | {100 * width:.1f} |", flush=True)


if __name__ == "__main__":
    main()
