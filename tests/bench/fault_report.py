"""The counts of the fault bench, as JSON and as a plot."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from fault_worker import Line

OUTCOMES = {"right": "#2f7d4f", "cancelled": "#9aa7b1", "infrastructure": "#d9a441", "lost": "#37618e", "wrong": "#b5473c"}


@dataclasses.dataclass
class Report:
    """What is counted."""

    seed: int
    rounds: int = 0
    attempts: Counter[str] = dataclasses.field(default_factory=Counter)
    """Backend -> attempts that were begun."""
    warm: Counter[str] = dataclasses.field(default_factory=Counter)
    """Backend -> those that ended, and ran warm."""
    faults: Counter[str] = dataclasses.field(default_factory=Counter)
    outcomes: dict[str, Counter[str]] = dataclasses.field(default_factory=lambda: defaultdict(Counter))
    """Job -> outcome -> how often."""
    lost: Counter[str] = dataclasses.field(default_factory=Counter)
    """Jobs that were under way when their worker was killed."""
    infrastructure: Counter[str] = dataclasses.field(default_factory=Counter)
    wrong: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    left: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    """What was still there 30 s after a worker's end."""
    seconds: dict[str, list[float]] = dataclasses.field(default_factory=lambda: defaultdict(list))
    """Backend -> seconds from each kill -9 to the last trace of the worker."""
    notes: list[str] = dataclasses.field(default_factory=list)
    load: tuple[float, float, float] = dataclasses.field(default_factory=os.getloadavg)
    began: float = dataclasses.field(default_factory=time.monotonic)

    def take(self, backend: str, job: str, line: Line, number: int) -> None:
        """Count one finished job."""
        self.outcomes[f"{backend} {job}"][line.outcome] += 1
        if line.outcome == "wrong":
            self.wrong.append({"round": number, "backend": backend, "job": job, "why": line.why})
        if line.outcome == "infrastructure":
            self.infrastructure[line.why[:100]] += 1

    def line(self) -> dict[str, Any]:
        """How far it is."""
        return {
            "rounds": self.rounds,
            "attempts": dict(self.attempts),
            "faults": sum(self.faults.values()),
            "wrong": len(self.wrong),
            "left": len(self.left),
        }

    def whole(self) -> dict[str, Any]:
        """Everything, for the file."""
        told = {field.name: getattr(self, field.name) for field in dataclasses.fields(self) if field.name != "began"}
        total: Counter[str] = Counter()
        for counts in self.outcomes.values():
            total.update(counts)
        return {**told, "total": total | Counter(lost=sum(self.lost.values())), "took_s": round(time.monotonic() - self.began, 1)}


def write_report(report: Report, folder: Path) -> None:
    """Write both files."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "faults.json").write_text(json.dumps(report.whole(), indent=1) + "\n")
    _draw(report, folder / "faults.svg")


def _draw(report: Report, path: Path) -> None:
    """Outcomes by job; and how long after a kill -9 something was left."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    jobs = sorted(report.outcomes.keys() | report.lost.keys(), reverse=True)
    chart, (left, right) = plt.subplots(1, 2, figsize=(11, 1.6 + 0.2 * len(jobs)), gridspec_kw={"width_ratios": [3, 2]})
    begin = [0] * len(jobs)
    for outcome, colour in OUTCOMES.items():
        counts = [report.lost[job] if outcome == "lost" else report.outcomes[job][outcome] if job in report.outcomes else 0 for job in jobs]
        left.barh(jobs, counts, left=begin, color=colour, label=f"{outcome} ({sum(counts)})")
        begin = [sum(pair) for pair in zip(begin, counts, strict=True)]
    left.set_xlabel("jobs")
    left.tick_params(labelsize=7)
    left.legend(fontsize=7, frameon=False, loc="lower right")
    for backend, seconds in report.seconds.items():
        ordered = sorted(seconds)
        share = [100 * (number + 1) / len(ordered) for number in range(len(ordered))]
        right.step(ordered, share, where="post", label=f"{backend} ({len(ordered)} times)")
    right.set_xlabel("seconds from kill -9 of a worker until nothing of it was left")
    right.set_ylabel("%")
    right.set_xscale("log")
    if report.seconds:
        right.legend(fontsize=8, frameon=False)
    attempts, faults = sum(report.attempts.values()), sum(report.faults.values())
    chart.suptitle(f"{attempts} attempts, {faults} faults: {len(report.wrong)} wrong, {len(report.left)} left behind", fontsize=10)
    chart.tight_layout()
    chart.savefig(path)
    plt.close(chart)
