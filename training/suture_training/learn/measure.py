"""Measuring what `make learn` made: every policy on the held-out tasks, in the harness that it was trained in and in others.

Fresh sandboxes, gold and no-op controls in between, results on the disk as they come (`suture_training.evaluation`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from suture_agent.harness import Harness, as_full
from suture_training.evaluation.records import Subject
from suture_training.evaluation.run import Plan, evaluate
from suture_training.evaluation.variants import variants
from suture_training.learn.experiment import Experiment

HOME, FULL = "simplified", "full"
"""Names of the harness that everything is trained in, and of the other pipeline."""


class Contestant(msgspec.Struct, frozen=True, kw_only=True):
    """One trained model."""

    method: str
    """`raw`, `sft`, `rl` or `more` (as much more SFT)."""
    seed: str = ""
    folder: Path

    @property
    def name(self) -> str:
        """Of its folder of evaluations."""
        return f"{self.method}-{self.seed}" if self.seed else self.method


def places(home: Harness) -> Mapping[str, Harness]:
    """The harnesses to measure in: the one of training, the other pipeline, and one named field at a time."""
    full = msgspec.structs.replace(as_full(home), recall="off")  # past fixes of this machine have no place in a measurement
    budgets = msgspec.structs.replace(full.budgets, seconds=home.budgets.seconds, steps=home.budgets.steps)
    others = {variant.name: variant.harness for variant in variants(home) if variant.factor in ("budget", "prompt", "sampling")}
    return {HOME: home, FULL: msgspec.structs.replace(full, budgets=budgets), **others}


def measure(experiment: Experiment, contestant: Contestant, place: str, harness: Harness) -> Path:
    """Measure one policy in one harness; the evaluation's folder. Goes on where it was interrupted."""
    settings = experiment.settings.measure
    folder = experiment.out / "evaluations" / contestant.name / place
    policy = experiment.policy(contestant.folder, contestant.method)

    async def work() -> None:
        subject = Subject(
            policy=await policy.start(),
            method=contestant.method,
            trained_in="" if contestant.method == "raw" else HOME,
            seed=contestant.seed,
        )
        await evaluate(
            experiment.split("test"),
            experiment.sites,
            policy,
            harness,
            folder,
            plan=Plan(runs=settings.runs, jobs=experiment.settings.rl.parallel, controls=100),
            subject=subject,
            tested_in=place,
            selection={"split": "test"},
            resume=folder.exists(),
        )
        await policy.close()

    experiment.run(work())
    return folder


def measure_all(experiment: Experiment, contestants: Sequence[Contestant]) -> dict[str, list[Path]]:
    """Every policy at home and in the other pipeline; trained ones with one field varied too. Place -> folders."""
    _, tokenizer = experiment.loaded(experiment.base)
    made: dict[str, list[Path]] = {}
    for place, harness in places(experiment.harness(tokenizer)).items():
        for contestant in contestants:
            if place not in (HOME, FULL) and contestant.method not in ("sft", "rl"):
                continue
            experiment.say(f"measuring {contestant.name} in {place}")
            made.setdefault(place, []).append(measure(experiment, contestant, place, harness))
    return made
