"""Rollouts a second, beside TRL's own way: `python tests/bench/bench_rollouts.py --out DIR [--tasks 8] [--size 4] [--rounds 3]`.

Small tasks (made first, kept in DIR), a scripted policy that is told the answers (three right ones, one wrong), fresh attempts of the real
local sandbox. One side is a training step as `train_rl` collects it (`suture_training.collect`). The other is TRL's GRPOTrainer with an
`environment_factory`, whose one tool runs the very same episode: the same patch, the same checks in the same sandbox, the same verdict.
Each side is a process of its own; they take turns, round by round, on the same tasks.

What differs is who drives: here a step's episodes run side by side; TRL 1.16 calls the tools of all rollouts one after the other. What the
TRL side is spared: generation (`_generate_single_turn` returns the scripted call), the update of the weights, and reset (both outside
of the clock). What it has that the other has not: its own tokenising of prompts, calls and results, and reading calls out of them.

Processors: a worker's seconds are those of its control group (cpuacct), which counts whatever it started; without one those of the worker
and of the children that it waited for. What the whole machine did is from /proc/stat. The share of busy processors is the worker's seconds
by the machine's, less what others took; with others about it says little, and is not judged when they took more than a tenth. What can be
judged then are the slots: in how much of the time as many attempts were under way as there are processors.

DIR gets rollouts.json and rollouts.svg. Exit code 1: fewer than 2 rollouts a second, less than 90 % of the processors busy, or less than
90 % of the slots in use; 2: a round was broken by the machine, or the sides did not solve the same.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from rollout_ground import make_tasks
from rollout_worker import Asked, Round

from suture_sandbox.slots import cores

RATE, SHARE = 2.0, 0.9
OTHERS = 0.1
"""More than this share of the processors in use by others, and the share that is left says nothing."""
SIDES = ("suture", "trl")
_CPUACCT = Path("/sys/fs/cgroup/cpuacct")


class Side:
    """One of the two, in a process of its own."""

    def __init__(self, name: str, asked: Asked, log: Path) -> None:
        command = [sys.executable, str(Path(__file__).with_name("rollout_worker.py")), name, msgspec.json.encode(asked).decode()]
        with log.open("wb") as errors:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors)
        if asked.group:  # before it has read its first line, and so before it started anything
            Path(asked.group, "cgroup.procs").write_text(str(self._process.pid))
        self._log = log
        assert self._answer() == b"ready", f"see {log}"

    def round(self, *, last: bool) -> Round:
        """One more."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")
        self._process.stdin.flush()
        done = msgspec.json.decode(self._answer(), type=Round)
        if not last:
            assert self._answer() == b"ready", f"see {self._log}"
        return done

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> bytes:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise SystemExit(f"a side ended: see {self._log}")
        return line


@contextlib.contextmanager
def control_group(name: str) -> Generator[Path | None]:
    """A control group that counts processors' seconds; None where none can be made."""
    try:
        own = next(line.rpartition(":")[2] for line in Path("/proc/self/cgroup").read_text().splitlines() if "cpuacct" in line)
        folder = _CPUACCT / own.lstrip("/") / f"bench-rollouts-{os.getpid()}-{name}"
        folder.mkdir()
    except (OSError, StopIteration):
        yield None
        return
    try:
        yield folder
    finally:
        for _ in range(50):
            with contextlib.suppress(OSError):
                folder.rmdir()
                break
            time.sleep(0.1)


def figures(rounds: Sequence[Round], slots: int) -> dict[str, Any]:
    """What a side's rounds say."""
    rates = [each.rollouts / each.spell.wall for each in rounds]
    shares = [each.spell.own / (each.spell.own + each.spell.idle) for each in rounds]
    others = [max(0.0, each.spell.busy - each.spell.own) / (each.spell.busy + each.spell.idle) for each in rounds]
    return {
        "rollouts": sum(each.rollouts for each in rounds),
        "solved": sum(each.solved for each in rounds),
        "failed": sum(each.failed for each in rounds),
        "per_second": round(statistics.median(rates), 2),
        "per_second_of_rounds": [round(rate, 2) for rate in rates],
        "busy_of_what_others_left": round(statistics.median(shares), 3),
        "busy_of_all": round(statistics.median(each.spell.own / each.spell.wall / cores() for each in rounds), 3),
        "slots_in_use": round(statistics.median(each.spell.taken / each.spell.wall / slots for each in rounds), 3),
        "others": round(statistics.median(others), 3),
        "processor_seconds_each": round(sum(each.spell.own for each in rounds) / sum(each.rollouts for each in rounds), 3),
    }


def plot(told: dict[str, Any], path: Path) -> None:
    """Rates and shares, side by side."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    chart, (left, right) = plt.subplots(1, 2, figsize=(9, 2.2))
    names = ["suture's rollouts", "TRL's environment_factory"]
    colours = ["#2f7d4f", "#37618e"]
    rates = [told[side]["per_second"] for side in SIDES]
    shares = [100 * told[side]["slots_in_use"] for side in SIDES]
    for axes, values, unit, limit in (
        (left, rates, "rollouts a second", RATE),
        (right, shares, "% of the slots for attempts in use", 100 * SHARE),
    ):
        axes.bar_label(axes.barh(names, values, color=colours), [f"{value:.3g}" for value in values], fontsize=8, padding=2)
        axes.axvline(limit, color="#b5473c", linewidth=1, linestyle="--")
        axes.set_xlim(0, max(*values, limit) * 1.15)
        axes.set_xlabel(unit)
        axes.invert_yaxis()
        axes.tick_params(labelsize=8)
    right.set_yticks([])
    chart.suptitle(f"{told['suture']['rollouts']} rollouts each, in turns, {cores()} processors (dashed: the aim)", fontsize=9)
    chart.tight_layout()
    chart.savefig(path)
    plt.close(chart)


def measure(options: argparse.Namespace, out: Path) -> dict[str, Any]:
    """Both sides in turns."""
    found: dict[str, list[Round]] = {side: [] for side in SIDES}
    with contextlib.ExitStack() as stack:
        sides: dict[str, Side] = {}
        for name in SIDES:
            asked = Asked(
                folder=str(out),
                cache=str(out / "cache"),
                tasks=options.tasks,
                size=options.size,
                rounds=options.rounds + 1,
                parallel=options.parallel,
                slots=options.slots,
                group=str(stack.enter_context(control_group(name)) or ""),
            )
            sides[name] = Side(name, asked, out / f"{name}.log")
            stack.callback(sides[name].close)
        grouped = bool(asked.group)
        for number in range(options.rounds + 1):  # the first warms up and is not counted
            for name, side in sides.items():
                done = side.round(last=number == options.rounds)
                print(name, msgspec.json.encode(done).decode(), flush=True)
                if number:
                    found[name].append(done)
    told: dict[str, Any] = {name: figures(rounds, options.slots) for name, rounds in found.items()}
    told["times"] = round(told["suture"]["per_second"] / told["trl"]["per_second"], 2)
    told["seconds_from"] = "control group" if grouped else "waited-for children"
    return told


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--tasks", type=int, default=8)
    parser.add_argument("--size", type=int, default=4, help="rollouts of a task in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parallel", type=int, default=32, help="episodes at once")
    parser.add_argument("--slots", type=int, default=cores(), help="attempts at once")
    options = parser.parse_args()
    out = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    make_tasks(out, out / "cache", 2 * options.tasks)
    before = os.getloadavg()
    told = measure(options, out)
    told |= {"load_before": before, "load_after": os.getloadavg(), "processors": cores(), "tasks": options.tasks, "size": options.size}
    (out / "rollouts.json").write_text(json.dumps(told, indent=1) + "\n")
    plot(told, out / "rollouts.svg")
    print(json.dumps(told, indent=1))
    if any(told[side]["failed"] for side in SIDES) or told["suture"]["solved"] != told["trl"]["solved"]:
        return 2
    ours = told["suture"]
    idles = ours["others"] <= OTHERS and ours["busy_of_what_others_left"] < SHARE
    return 1 if ours["per_second"] < RATE or ours["slots_in_use"] < SHARE or idles else 0


if __name__ == "__main__":
    sys.exit(main())
