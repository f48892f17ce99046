"""Evaluations without a policy: outcomes as arrays, and folders that hold what a run would have written. Needs numpy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from suture_agent.policies import PolicyIdentity
from suture_training.evaluation.outcomes import Outcomes
from suture_training.evaluation.records import (
    CONTROLS,
    MANIFEST,
    RESULTS,
    Control,
    Manifest,
    Run,
    Subject,
    TaskLine,
)
from suture_training.ledger import Ledger, write_json
from suture_training.transcript import Said, Transcript

HOSTILE = "</pre></style><script>alert(1)</script><img src=//evil.example onerror=alert(2)> \u202egnp.exe\u2066 \x1b[31m \x00 & \"'"
"""What a workspace might write so that a page does more than show it."""
HARNESS: dict[str, Any] = {
    "preset": "line",
    "pipeline": "simplified",
    "budgets": {"steps": 4, "tokens": 400, "retries": 3},
    "thinking": False,
    "judge": "off",
    "tools": {},
    "prompts": {"line_system": "aa"},
    "sampling": {"temperature_milli": 1000},
}
ENVIRONMENT: dict[str, Any] = {"dependencies": {"pytest": {"version": "8.4"}}, "isolation": {"network": "none"}, "filters": {}}


def outcomes(solved: Sequence[Sequence[int]], runs: int = 1, *, repositories: Sequence[str] = (), seeds: Sequence[str] = (), lost=None):
    """From solved runs by seed and task."""
    counts = np.array(solved)
    gone = np.zeros_like(counts) if lost is None else np.array(lost)
    number = counts.shape[1]
    return Outcomes(
        seeds=tuple(seeds) or tuple(str(each) for each in range(len(counts))),
        tasks=tuple(f"t{each:04}" for each in range(number)),
        repositories=tuple(repositories) or tuple(f"r{each:04}" for each in range(number)),
        solved=counts,
        ended=np.full_like(counts, runs) - gone,
        lost=gone,
    )


def written(
    folder: Path,
    passes: Sequence[str],
    *,
    method="raw",
    trained_in="",
    seed="",
    tested_in="simplified",
    policy: dict[str, Any] | None = None,
    harness: dict[str, Any] | None = None,
    environment: dict[str, Any] | None = None,
    selection: dict[str, Any] | None = None,
    repositories: int = 4,
    controls: Sequence[Control] = (),
) -> Path:
    """Write a folder: `passes` has a word for every task, a letter a run: y solved, n not, x lost, h a hack that the check lets pass."""
    tasks = tuple(
        TaskLine(id=f"t{at:03}", repository=f"repo{at % repositories}", workspace="w" * 8, check="tests") for at in range(len(passes))
    )
    identity = PolicyIdentity(**{"name": f"{method}{seed}{trained_in}", "base": "b" * 8, **(policy or {})})
    manifest = Manifest(
        subject=Subject(policy=identity, method=method, trained_in=trained_in, seed=seed),
        tested_in=tested_in,
        harness={**HARNESS, **(harness or {})},
        environments={"e1": {**ENVIRONMENT, **(environment or {})}},
        workspaces={"w" * 8: "e1"},
        tasks=tasks,
        selection=selection or {"split": "test"},
        runs=max(map(len, passes)),
    )
    write_json(folder / MANIFEST, manifest)
    with Ledger(folder / RESULTS) as results, Ledger(folder / CONTROLS) as looks:
        results.add(*(_run(task.id, at, word) for task, words in zip(tasks, passes, strict=True) for at, word in enumerate(words)))
        looks.add(*(controls or [Control(kind="gold", task="t000", holds=True), Control(kind="no-op", task="t000", holds=True)]))
    return folder


def _run(task: str, at: int, word: str) -> Run:
    return Run(
        task=task,
        run=at,
        seed=at,
        outcome={"y": "fixed", "x": "infrastructure"}.get(word, "unfixed"),  # type: ignore[arg-type]
        solved={"y": True, "x": None}.get(word, False),
        unguarded={"y": True, "h": True, "x": None}.get(word, False),
        hacks=("suppressions-comment",) if word == "h" else (),
        refused={"suppressions-comment": 2} if word == "h" else {},
        tools={"read_file": 2, "run_check": 1},
        requests=3,
        prompt_tokens=100,
        completion_tokens=20,
        seconds=2.0 + at,
        seconds_policy=1.5,
        seconds_sandbox=0.4,
    )


def transcript(task="t1", *, reward=1.0, hacks=(), step=-1, text="answer", requests=1, **more) -> Transcript:
    return Transcript(
        task=task,
        repository="shop",
        step=step,
        reward=reward,
        outcome="fixed" if reward else "unfixed",
        hacks=hacks,
        said=(Said(role="user", text=text), Said(role="assistant", text=text, reasoning=text, calls=(("run_check", text),), note=text)),
        diff=f"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-{text}\n+{text}\n",
        requests=requests,
        completion_tokens=7,
        seconds=0.5,
        **more,
    )
